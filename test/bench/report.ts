import type { Terminal } from '../../src/cli/terminal.js';
import { BATCHES, type Batch } from './feed.js';
import { FORMATS, type Format } from './feed-file.js';
import { median, type Measurement } from './measurement.js';
import type { Contestant } from './options.js';

/** Medians over all rounds, one row for each batch and format. What was not measured is absent. */
export interface Summary {
  readonly batch: Batch;
  readonly format: Format;
  readonly floorSeconds?: number;
  readonly productSeconds?: number;
  readonly productToFloor?: number;
  /** Of formats other than JSON. */
  readonly productToJson?: number;
  readonly rowsSeconds?: number;
  readonly rowsToProduct?: number;
  readonly carefulSeconds?: number;
  readonly carefulToProduct?: number;
  readonly stageSeconds?: number;
  readonly planSeconds?: number;
  readonly applySeconds?: number;
  readonly peakRssMib?: number;
  readonly eventLoopP99Ms?: number;
}

export function summarise(measurements: readonly Measurement[]): Summary[] {
  const of = (contestant: Contestant, batch: Batch, format: Format) =>
    measurements.filter((one) => one.contestant === contestant && one.batch === batch && one.format === format);
  return FORMATS.flatMap((format) =>
    BATCHES.flatMap((batch): Summary[] => {
      const product = of('product', batch, format);
      const floor = median(of('floor', batch, format).map(({ seconds }) => seconds));
      const rows = median(of('rows', batch, format).map(({ seconds }) => seconds));
      const careful = median(of('careful', batch, format).map(({ seconds }) => seconds));
      const seconds = median(product.map((one) => one.seconds));
      const json = median(of('product', batch, 'json').map((one) => one.seconds));
      if (floor === undefined && seconds === undefined) return [];
      const all = {
        floorSeconds: floor,
        productSeconds: seconds,
        productToFloor: ratio(seconds, floor),
        productToJson: format === 'json' ? undefined : ratio(seconds, json),
        rowsSeconds: rows,
        rowsToProduct: ratio(rows, seconds),
        carefulSeconds: careful,
        carefulToProduct: ratio(careful, seconds),
        stageSeconds: median(product.map(({ phases }) => phases?.stage)),
        planSeconds: median(product.map(({ phases }) => phases?.plan)),
        applySeconds: median(product.map(({ phases }) => phases?.apply)),
        peakRssMib: median(product.map(({ peakRssMib }) => peakRssMib)),
        eventLoopP99Ms: median(product.map(({ eventLoopP99Ms }) => eventLoopP99Ms)),
      };
      return [{ batch, format, ...present(all) }];
    }),
  );
}

/** @param users whom each phase is said to have worked on */
export function printSummary(terminal: Terminal, summaries: readonly Summary[], users: number): void {
  const head = [
    ...['batch', 'format', 'floor s', 'product s', 'product/floor', 'product/json'],
    ...['rows s', 'rows/product', 'careful s', 'careful/product'],
    ...['stage s', 'rec/s', 'plan s', 'rec/s', 'apply s', 'rec/s', 'RSS MiB', 'loop p99 ms'],
  ];
  const body = summaries.map((one) => [
    one.batch,
    one.format,
    fixed(one.floorSeconds, 2),
    fixed(one.productSeconds, 2),
    fixed(one.productToFloor, 2),
    fixed(one.productToJson, 2),
    fixed(one.rowsSeconds, 1),
    fixed(one.rowsToProduct, 1),
    fixed(one.carefulSeconds, 1),
    fixed(one.carefulToProduct, 1),
    ...[one.stageSeconds, one.planSeconds, one.applySeconds].flatMap((seconds) => phaseCells(seconds, users)),
    fixed(one.peakRssMib, 0),
    fixed(one.eventLoopP99Ms, 1),
  ]);
  terminal.table(head, body, numbersFrom(2, head));
}

/** A phase that had next to nothing to do has no rate. */
function phaseCells(seconds: number | undefined, users: number): string[] {
  return [fixed(seconds, 2), seconds === undefined || seconds < 0.02 ? '' : rate(users / seconds)];
}

/** The columns behind those with words. */
export function numbersFrom(column: number, head: readonly string[]): number[] {
  return [...head.keys()].slice(column);
}

export function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits);
}

/** As in 12.3k. */
function rate(perSecond: number): string {
  return perSecond < 1e6 ? `${(perSecond / 1e3).toFixed(1)}k` : `${(perSecond / 1e6).toFixed(1)}M`;
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value / base;
}

function present<T extends Record<string, number | undefined>>(all: T): { [K in keyof T]?: number } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: number;
  };
}
