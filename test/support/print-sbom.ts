import { softwareBillOfMaterials } from './sbom.js';

process.stdout.write(await softwareBillOfMaterials());
