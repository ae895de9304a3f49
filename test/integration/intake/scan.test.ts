import { expect } from 'chai';
import { AnchoredFolder } from '../../../src/intake/anchored-folder.js';
import { scanFolder } from '../../../src/intake/scan.js';

describe('A look at a directory', () => {
  it('tells devices from files, without opening them', async () => {
    await using folder = await AnchoredFolder.open('/dev');
    const { foreign, files } = await scanFolder(folder, new AbortController().signal);
    expect(foreign.find(({ name }) => name.text === 'null')?.kind).to.equal('device');
    expect(files.map(({ name }) => name.text)).to.not.include('null');
  });
});
