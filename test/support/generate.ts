import { writeFile } from 'node:fs/promises';
import { generatedFiles } from './generated-files.js';

// `npm run generate`
for (const [file, text] of await generatedFiles()) await writeFile(file, text);
