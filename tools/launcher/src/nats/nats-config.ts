import type { ServiceName } from '@agentlattice/contracts';

/** The subjects that one service may publish and subscribe to. */
export interface SubjectPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly allowResponses: boolean;
}

export type NatsPermissions = Readonly<Record<ServiceName, SubjectPermissions>>;

const list = (subjects: readonly string[]) => `[${subjects.map((s) => JSON.stringify(s)).join(', ')}]`;

function user(name: string, password: string, permissions: SubjectPermissions | undefined): string {
  const login = `user: ${JSON.stringify(name)}, password: ${password}`;
  if (permissions === undefined) return `    { ${login} }`;
  const rights = [
    `publish: { allow: ${list(permissions.publish)} }`,
    `subscribe: { allow: ${list(permissions.subscribe)} }`,
    ...(permissions.allowResponses ? ['allow_responses: true'] : []),
  ];
  return `    { ${login}, permissions: {\n        ${rights.join('\n        ')}\n    } }`;
}

/**
 * The `authorization` block: one user per service with its permissions, and `admin` without limits.
 * @param password the password of a user in the notation of the file: quoted, or a `$VARIABLE`
 */
export function renderAuthorization(
  permissions: NatsPermissions,
  password: (user: string) => string,
): string {
  const services = Object.entries(permissions).map(([name, rights]) => user(name, password(name), rights));
  return `authorization {\n  users: [\n${[user('admin', password('admin'), undefined), ...services].join(',\n')}\n  ]\n}\n`;
}

export interface NatsServerSettings {
  readonly port: number;
  readonly storeDir: string;
  readonly permissions: NatsPermissions;
  readonly password: (user: string) => string;
}

/** The configuration file. One member in each line: the server misreads `jetstream{store_dir:…}`. */
export function renderNatsConfig({ port, storeDir, permissions, password }: NatsServerSettings): string {
  return [
    `listen: "127.0.0.1:${String(port)}"`,
    'server_name: "agentlattice"',
    // Batches of events may have 256 KiB; the rest is for headers.
    'max_payload: 1MB',
    // A client that hangs, or whose machine is gone, would get its share of the commands for minutes.
    'ping_interval: "5s"',
    'ping_max: 2',
    'jetstream {',
    `  store_dir: ${JSON.stringify(storeDir)}`,
    '}',
    renderAuthorization(permissions, (name) => JSON.stringify(password(name))),
  ].join('\n');
}
