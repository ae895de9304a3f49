import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { defaultYaml } from '../../src/config/default-yaml.js';
import { editorSchema } from '../../src/config/json-schema.js';
import { packageRoot } from '../../src/lib/package-root.js';

/** Files in the repository that are made from the code. A test compares them, so that none can go stale. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const config = join(packageRoot(), 'config');
  const files = new Map([
    [join(config, 'default.yaml'), defaultYaml()],
    [join(config, 'user-sync.schema.json'), JSON.stringify(editorSchema())],
  ]);
  for (const [file, text] of files) {
    files.set(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
  }
  return files;
}
