import { routeList } from '@agentlattice/contracts';

const byPath = Map.groupBy(routeList, (route) => route.path);
const patterns = [...byPath].map(([path, routes]) => ({
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  methods: [
    ...new Set(routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
  ].sort(),
}));

/** Methods of the operations at a path; none where there is no such path. */
export function allowedMethods(path: string): readonly string[] {
  return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
}
