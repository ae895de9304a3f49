import { z } from 'zod';
import type { Api } from './operation.js';

const codeAndTitle = z.object({ code: z.string(), title: z.string() });

const model = z.object({
  name: z.string(),
  destinations: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      kind: z.enum(['dictionary', 'object', 'pseudo']),
      names: z.array(
        z.object({
          name: z.string(),
          title: z.string(),
          dataType: z.string(),
          required: z.boolean(),
          multivalue: z.boolean(),
          refTypes: z.array(z.string()),
        }),
      ),
    }),
  ),
  types: z.array(codeAndTitle.extend({ parent: z.string().nullable() })),
  groups: z.array(codeAndTitle.extend({ managed: z.boolean() })),
  objects: z.array(z.object({ behaviour: z.string(), type: z.string(), title: z.string() })),
  qualifiers: z.array(codeAndTitle),
  tags: z.array(codeAndTitle),
  formats: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      options: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          required: z.boolean().optional(),
          description: z.string(),
        }),
      ),
    }),
  ),
  filters: z.array(z.string()),
  recordProcessors: z.array(z.string()),
});

export function registerModel(api: Api): void {
  const { language } = api.context.app.sync;
  api.operation(
    {
      id: 'getModel',
      method: 'GET',
      url: '/model',
      tag: 'model',
      summary: 'What control files may name here: destinations, groups, formats, filters',
      capability: 'view-runs',
      answer: model,
    },
    async () => ({
      name: language.model.name,
      destinations: [...language.model.destinations.values()].map(({ name, title, kind, names }) => ({
        name,
        title,
        kind,
        names: [...names.values()].map((one) => ({ ...one, refTypes: [...one.refTypes] })),
      })),
      types: [...language.model.types],
      groups: [...language.model.groups],
      objects: [...language.model.objects],
      qualifiers: [...language.model.qualifiers],
      tags: [...language.model.tags],
      formats: language.formats.map((format) => ({ ...format, options: [...format.options] })),
      filters: [...language.filters.keys()],
      recordProcessors: [...language.recordProcessors.keys()],
    }),
  );
}
