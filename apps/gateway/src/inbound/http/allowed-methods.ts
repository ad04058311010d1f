import { routeList } from '@agentlattice/contracts';

const byPath = Map.groupBy(routeList, (route) => route.path);
const methodsOf = (routes: readonly { readonly method: string }[]): readonly string[] =>
  [...new Set(routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].sort();

/** Paths without parameters; the methods of a path with a parameter do not apply to them. */
const fixed = new Map(
  [...byPath].filter(([path]) => !path.includes('{')).map(([path, routes]) => [path, methodsOf(routes)]),
);
const patterns = [...byPath]
  .filter(([path]) => path.includes('{'))
  .map(([path, routes]) => ({
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    methods: methodsOf(routes),
  }));

/** Methods of the operations at a path; none when there is no such path. A literal path takes precedence over parameters. */
export function allowedMethods(path: string): readonly string[] {
  const own = fixed.get(path);
  if (own !== undefined) return own;
  return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
}

/** False for a method that a path without parameters does not have. */
export const mayHave = (path: string, method: string): boolean => fixed.get(path)?.includes(method) ?? true;
