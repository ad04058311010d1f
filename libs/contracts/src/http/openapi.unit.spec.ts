import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { errorCodesOf, openApiDocument } from './openapi.js';
import { routeList } from './routes.js';

const document = openApiDocument();

it('is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(
    JSON.parse(JSON.stringify(document)) as Record<string, unknown>,
  );
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
});

it('is the document that is checked in', () => {
  const checkedIn = readFileSync(join(import.meta.dirname, '../../../../openapi/openapi.json'), 'utf8');
  expect(JSON.parse(checkedIn)).toEqual(JSON.parse(JSON.stringify(document)));
});

it('has no reference without a target', () => {
  const { schemas } = (document as { components: { schemas: Record<string, unknown> } }).components;
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(refs.filter((name) => name === undefined || !(name in schemas))).toEqual([]);
});

it('has one operation for each id and each path with method', () => {
  expect(new Set(routeList.map(({ id }) => id)).size).toBe(routeList.length);
  expect(new Set(routeList.map(({ method, path }) => `${method} ${path}`)).size).toBe(routeList.length);
});

it.each(routeList.map((route) => [route.id, route] as const))(
  '%s declares the parameters of its path',
  (_id, route) => {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    expect(Object.keys(route.params?.shape ?? {}).sort()).toEqual(named.sort());
  },
);

it('lists 401, 403 and 503 for every operation with a key', () => {
  for (const route of routeList)
    if (route.callers !== 'public')
      expect(errorCodesOf(route)).toEqual(
        expect.arrayContaining(['UNAUTHENTICATED', 'FORBIDDEN', 'UNAVAILABLE']),
      );
});
