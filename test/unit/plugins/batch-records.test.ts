import { expect } from 'chai';
import { batchRecords, type BatchInput, type BatchRecords } from '../../../src/plugins/batch-records.js';
import type { Contribution } from '../../../src/plugins/load-plugins.js';
import type { ProcessedRecords, RecordProcessor } from '../../../src/plugins/plugin.js';
import { DEFAULT_LIMITS, ReadError, type ReadItem } from '../../../src/readers/reader.js';
import { caught } from './plugin-modules.js';

function record(id: string, number = 1): ReadItem {
  return { kind: 'record', position: { record: number, line: number, byte: 0 }, value: { id } };
}

class Input implements BatchInput {
  opened = 0;
  closed = 0;

  constructor(
    readonly name: string,
    private readonly ids: readonly string[],
    private readonly end?: Error,
  ) {}

  async *open(): AsyncGenerator<readonly ReadItem[]> {
    this.opened += 1;
    try {
      for (const [index, id] of this.ids.entries()) yield [record(id, index + 1)];
      if (this.end !== undefined) throw this.end;
    } finally {
      this.closed += 1;
    }
  }
}

interface Given {
  readonly signal?: AbortSignal;
  readonly warnings?: string[];
}

function started(inputs: readonly BatchInput[], processor: RecordProcessor | undefined, given: Given = {}) {
  const named: Contribution<RecordProcessor> | undefined =
    processor === undefined ? undefined : { plugin: 'testing', name: 'x:join', value: processor };
  return batchRecords(inputs, named, {
    limits: DEFAULT_LIMITS,
    signal: given.signal ?? new AbortController().signal,
    temporaryDirectory: () => Promise.resolve('/somewhere'),
    warn: (message) => given.warnings?.push(message),
  });
}

async function processed(...args: Parameters<typeof started>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { file, items } of started(...args)) lines.push(...items.map((item) => `${file} ${idOf(item)}`));
  return lines;
}

function idOf(item: BatchRecords['items'][number]): string {
  return item.kind === 'rejected' ? item.error.code : (item.value['id'] as string);
}

/** Gives everything as it is, read in the order of the files. */
const passOn: RecordProcessor = async function* (files) {
  for (const file of files) {
    for await (const items of file.records()) yield { file: file.name, items };
  }
};

describe('the records of a batch', () => {
  const users = (): Input => new Input('users', ['a', 'b']);
  const roles = (): Input => new Input('roles', ['x']);

  it('come file by file without a record processor', async () => {
    expect(await processed([users(), roles()], undefined)).to.deep.equal(['0 a', '0 b', '1 x']);
  });

  it('are what the record processor gives', async () => {
    const swapped: RecordProcessor = async function* (files) {
      for (const file of files.toReversed()) {
        for await (const items of file.records()) yield { file: file.name, items: [...items, ...items] };
      }
    };
    expect(await processed([users(), roles()], swapped)).to.deep.equal(['1 x', '1 x', '0 a', '0 a', '0 b', '0 b']);
  });

  it('are opened only when asked for, and as often as asked for', async () => {
    const inputs = [users(), roles()];
    const twice: RecordProcessor = async function* (files) {
      expect(inputs.map(({ opened }) => opened)).to.deep.equal([0, 0]);
      const first = files[0]!;
      const [one, other] = [first.records(), first.records()];
      expect(inputs.map(({ opened }) => opened)).to.deep.equal([0, 0]);
      for await (const items of one) yield { file: 'users', items };
      for await (const items of other) yield { file: 'users', items };
      for await (const items of files[1]!.records()) void items;
    };
    expect(await processed(inputs, twice)).to.deep.equal(['0 a', '0 b', '0 a', '0 b']);
    expect(inputs.map(({ opened, closed }) => [opened, closed])).to.deep.equal([
      [2, 2],
      [1, 1],
    ]);
  });

  it('may be put aside in a folder that is asked for', async () => {
    let folder = '';
    const aside: RecordProcessor = async function* (files, context) {
      folder = await context.temporaryDirectory();
      yield* passOn(files, context);
    };
    await processed([users()], aside);
    expect(folder).to.equal('/somewhere');
  });

  it('come with warnings, of which not too many are kept', async () => {
    const warnings: string[] = [];
    const warning: RecordProcessor = async function* (files, context) {
      for (let number = 0; number < 200; number += 1) context.warn(`number\0 ${number}`);
      yield* passOn(files, context);
    };
    await processed([users()], warning, { warnings });
    expect(warnings).to.have.length(100);
    expect(warnings[0]).to.equal('number\u2400 0');
  });

  it('are rejected where they are none', async () => {
    const odd: RecordProcessor = async function* (files, context) {
      yield { file: 'users', items: [{ kind: 'record', value: 5 }, record('ok')] } as unknown as ProcessedRecords;
      yield* passOn(files, context);
    };
    expect(await processed([users()], odd)).to.deep.equal(['0 invalid-record', '0 ok', '0 a', '0 b']);
  });

  it('end with the error of a file, whatever the processor makes of it', async () => {
    const broken = (): Input => new Input('users', ['a'], new ReadError('truncated-file', 'cut off'));
    const hiding: RecordProcessor = async function* (files) {
      try {
        for await (const items of files[0]!.records()) yield { file: 'users', items };
      } catch {
        // As if nothing had happened.
      }
    };
    const wrapping: RecordProcessor = async function* (files, context) {
      try {
        yield* passOn(files, context);
      } catch (error) {
        throw new Error('own', { cause: error });
      }
    };
    for (const processor of [passOn, hiding, wrapping]) {
      expect(await caught(processed([broken()], processor))).to.include({ code: 'truncated-file', message: 'cut off' });
    }
  });

  it('fail with the names of processor and plugin when it throws, without what the error says', async () => {
    const atOnce = (() => {
      throw new RangeError('secret');
    }) as RecordProcessor;
    const later: RecordProcessor = async function* (files, context) {
      yield* passOn(files, context);
      throw new RangeError('secret');
    };
    for (const processor of [atOnce, later]) {
      const error = await caught(processed([users()], processor));
      expect(error).to.include({ code: 'record-processor-failed' });
      expect(error.message).to.match(/x:join of plugin testing failed: RangeError at .*batch-records\.test/);
      expect(error.message).to.not.include('secret');
    }
  });

  it('fail with what the processor wants operators to read', async () => {
    const refusing: RecordProcessor = async function* (files, context) {
      yield* passOn(files, context);
      context.fail('sort the files first.');
    };
    const error = await caught(processed([users()], refusing));
    expect(error).to.include({ code: 'record-processor-failed' });
    expect(error.message).to.include('x:join of plugin testing says: sort the files first.');
  });

  const misused: readonly (readonly [string, unknown, string])[] = [
    [
      'gives records of a file that the batch does not have',
      { file: 'others', items: [] },
      'without the name of a file',
    ],
    ['gives a bare list of records', [record('a')], 'without the name of a file'],
    ['gives no list of records', { file: 'users', items: record('a') }, 'something else than a list'],
  ];
  for (const [what, given, message] of misused) {
    it(`fail when the processor ${what}`, async () => {
      const processor: RecordProcessor = async function* () {
        yield given as ProcessedRecords;
      };
      const error = await caught(processed([users()], processor));
      expect(error).to.include({ code: 'record-processor-failed' });
      expect(error.message).to.include(message);
    });
  }

  it('fail when a file was not read to its end, since only there it is known to be whole', async () => {
    const hasty: RecordProcessor = async function* (files) {
      for await (const items of files[0]!.records()) {
        yield { file: 'users', items };
        break;
      }
    };
    const inputs = [users(), roles()];
    const error = await caught(processed(inputs, hasty));
    expect(error).to.include({ code: 'record-processor-failed' });
    expect(error.message).to.include('it did not read users, roles to the end');
    expect(inputs[0]?.closed).to.equal(1);
  });

  it('are given up when the signal says so, and every file is closed', async () => {
    const stop = new AbortController();
    const inputs = [users(), roles()];
    const stopping: RecordProcessor = async function* (files, context) {
      for await (const items of files[0]!.records()) {
        yield { file: 'users', items };
        stop.abort(new Error('stopped'));
        context.signal.throwIfAborted();
      }
    };
    expect((await caught(processed(inputs, stopping, { signal: stop.signal }))).message).to.equal('stopped');
    expect(inputs[0]?.closed).to.equal(1);
  });

  it('are closed when nobody wants more of them', async () => {
    const inputs = [users(), roles()];
    for await (const some of started(inputs, passOn)) if (some.file === 0) break;
    expect(inputs.map(({ opened, closed }) => opened - closed)).to.deep.equal([0, 0]);
  });
});
