import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames, type ServiceName, typeId } from '@agentlattice/contracts';
import { newSecrets } from '../deploy-secrets.mjs';
import { keysOf, kustomizationOf, manifestsOf, root, textOf, yamlOf } from './sources.js';

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly {
    name: string;
    value?: string;
    valueFrom?: { configMapKeyRef?: { key: string } };
  }[];
  readonly ports: readonly { name: string; containerPort: number }[];
  readonly resources: { limits: { memory: string } };
}
interface Source {
  readonly name: string;
  readonly items: readonly { key: string; path: string }[];
}
interface Pod {
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    projected?: { sources: { secret: Source }[] };
    secret?: { secretName: string };
  }[];
}
interface ComposeService {
  readonly image: string;
  readonly build?: { readonly target: string; readonly args: Readonly<Record<string, string>> };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly mem_limit?: string;
  readonly read_only?: boolean;
}

const podOf = (name: string) => {
  const [manifest] = manifestsOf(`k8s/base/${name}.yaml`);
  return (manifest?.['spec'] as { template: { spec: Pod } }).template.spec;
};
const containerOf = (name: string) => podOf(name).containers[0] as Container;
const compose = (yamlOf('docker-compose.yml') as { services: Record<string, ComposeService> }).services;
const variable = (service: string) => service.replaceAll('-', '_').toUpperCase();
const memory = JSON.parse(textOf('deploy/memory.json')) as Record<
  ServiceName,
  { node: Record<string, number>; containerMb: number }
>;

/** What the sources of a service read from the environment, and whether it must be set. */
function readBy(service: ServiceName): Map<string, boolean> {
  const files = [
    'libs/service/src/base-config.ts',
    ...(['approval-service', 'audit-ledger'].includes(service) ? ['libs/service/src/grant-signer.ts'] : []),
    ...['config', 'oidc-config']
      .map((name) => `apps/${service}/src/${name}.ts`)
      .filter((path) => existsSync(join(root, path))),
  ];
  const found = new Map<string, boolean>();
  for (const file of files) {
    const schema = /const environment = z\.object\(\{\n(.*?)\n\}\);/s.exec(textOf(file))?.[1] ?? '';
    for (const entry of schema.split(/\n(?= {2}[A-Z])/)) {
      const name = /^\s*(?:\/\*\*.*?\*\/\s*)?([A-Z][A-Z0-9_]+):/s.exec(entry)?.[1];
      if (name !== undefined)
        found.set(name, !/\.(optional\(\)|default\()/.test(entry) && !entry.includes('port.optional'));
    }
  }
  return found;
}

/** From the Dockerfile. */
const ofTheImage = new Map(
  [...textOf('Dockerfile').matchAll(/^(?:ENV)? +([A-Z_]+)=(\S+)/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
);
/** Read by PostgreSQL's driver. */
const ofTheDriver = ['PGOPTIONS'];
/** What a service reads and a place does not set, by the reason. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  'the image sets it': [...ofTheImage.keys()],
  'a new one for each run of a process': ['AL_INSTANCE'],
  'keys are made in the volume of the service (Docker Compose), or the service has none': ['AL_KEYS_DIR'],
  'only the approval-service uses Redis': ['REDIS_URL'],
  'there is one server of NATS (Docker Compose)': ['EVENT_STREAM_REPLICAS'],
};
const mustBeIn = (place: string, service: ServiceName): readonly string[] => [
  ...(service === 'approval-service' ? ['REDIS_URL'] : []),
  ...(place === 'Kubernetes' && ['approval-service', 'audit-ledger'].includes(service)
    ? ['AL_KEYS_DIR']
    : []),
  ...(place === 'Kubernetes' && service === 'audit-ledger' ? ['EVENT_STREAM_REPLICAS'] : []),
];
const withoutFile = (name: string) => name.replace(/_FILE$/, '');

describe.each(serviceNames)('the settings of the %s', (service) => {
  const container = containerOf(service);
  const composed = compose[service] as ComposeService;
  const places: [string, string[]][] = [
    ['Kubernetes', container.env.map(({ name }) => withoutFile(name))],
    ['Docker Compose', Object.keys(composed.environment ?? {})],
  ];

  it.each(places)('are all read, and everything that is read can be set, in %s', (place, names) => {
    const read = readBy(service);
    expect(read.size).toBeGreaterThan(8);
    expect([...read.keys(), ...ofTheDriver]).toEqual(expect.arrayContaining(names));
    const excused = Object.values(leftOut)
      .flat()
      .filter((name) => !mustBeIn(place, service).includes(name));
    expect([...names, ...excused]).toEqual(expect.arrayContaining([...read.keys()]));
    const needed = [...read].filter(([, isNeeded]) => isNeeded).map(([name]) => name);
    expect(needed.length).toBeGreaterThan(1);
    expect([...names, ...ofTheImage.keys()]).toEqual(expect.arrayContaining(needed));
  });

  it('name the ports of the image', () => {
    const port = service === 'gateway' ? ofTheImage.get('PORT') : ofTheImage.get('AL_HEALTH_PORT');
    expect(container.ports.map(({ containerPort }) => String(containerPort))).toEqual([port]);
    expect(textOf('Dockerfile')).toMatch(new RegExp(`^EXPOSE .*\\b${port ?? 'none'}\\b`, 'm'));
    expect(composed.ports ?? []).toEqual(
      service === 'gateway' ? [`127.0.0.1:${port ?? ''}:${port ?? ''}`] : [],
    );
  });

  it('are the measured limits of memory', () => {
    const { node, containerMb } = memory[service];
    const flags = Object.entries(node).map(([name, value]) => `--${name}=${String(value)}`);
    const command = /CMD \[("--import".*)\]/.exec(textOf('Dockerfile'))?.[1] ?? '';
    const args = [...flags, ...(JSON.parse(`[${command}]`) as string[])];
    expect(container.args).toEqual(args);
    expect(composed.command).toEqual(args);
    expect(container.resources.limits.memory).toBe(`${String(containerMb)}Mi`);
    expect(composed.mem_limit).toBe(`${String(containerMb)}m`);
  });

  it('run its own image without writing into it', () => {
    expect(composed.build).toMatchObject({ target: 'service', args: { SERVICE: service } });
    expect(composed.read_only).toBe(true);
    expect(container.image).toBe(`agentlattice/${service}`);
  });
});

describe('the migration job', () => {
  it('gets the URL of the administrator and of every service', () => {
    const wanted = ['DATABASE_URL', ...serviceNames.map((name) => `DATABASE_URL_${variable(name)}`)];
    const names = containerOf('migrate').env.map(({ name }) => withoutFile(name));
    expect(names.sort()).toEqual([...wanted, withoutFile('AL_CREDENTIALS_FILE')].sort());
    expect(Object.keys(compose['migrate']?.environment ?? {}).sort()).toEqual(
      [...wanted, 'AL_CREDENTIALS_FILE'].sort(),
    );
  });
});

describe('the secrets', () => {
  const pods = [...serviceNames, 'migrate'].map(podOf);
  const demo = kustomizationOf('k8s/overlays/demo').secretGenerator ?? [];
  const keyOf = (file: string) =>
    file.includes('=') ? file.slice(0, file.indexOf('=')) : (file.split('/').at(-1) ?? '');

  it('that pods mount are there, and documented for those who bring their own', () => {
    const mounted = pods.flatMap(({ volumes }) =>
      volumes.flatMap(({ projected }) => projected?.sources ?? []),
    );
    const made = new Map(demo.map(({ name, files = [] }) => [name, files.map(keyOf)]));
    for (const { secret } of mounted)
      for (const { key } of secret.items) expect(made.get(secret.name)).toContain(key);
    const whole = pods.flatMap(({ volumes }) => volumes.flatMap(({ secret }) => secret?.secretName ?? []));
    const documented = textOf('docs/operations/kubernetes.md');
    for (const name of [...mounted.map(({ secret }) => secret.name), ...whole, 'nats-users']) {
      expect([...made.keys()]).toContain(name);
      expect(documented).toContain(`\`${name}\``);
    }
  });

  it('of a service are mounted by that service and the job alone', () => {
    const users = (name: string) =>
      [...serviceNames, 'migrate'].filter((pod) => JSON.stringify(podOf(pod).volumes).includes(`"${name}"`));
    for (const service of serviceNames) {
      expect(users(`database-${service}`).sort()).toEqual([service, 'migrate'].sort());
      expect(users(`nats-${service}`)).toEqual([service]);
    }
    expect(users('audit-ledger-keys')).toEqual(['audit-ledger']);
    expect(users('approval-service-keys')).toEqual(['approval-service']);
    expect(users('database-admin')).toEqual(['migrate']);
  });

  it('that are made have all files of the overlay and all variables of docker-compose.yml', () => {
    const files = newSecrets();
    const wanted = demo.flatMap(({ envs = [], files: names = [] }) => [...envs, ...names]);
    for (const file of wanted) expect(Object.keys(files)).toContain(file.split('secrets/')[1]);
    const given = new Set((files['compose.env'] ?? '').split('\n').map((line) => line.split('=')[0]));
    const needed = [...textOf('docker-compose.yml').matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name);
    expect(needed.length).toBeGreaterThan(12);
    for (const name of needed) expect([...given]).toContain(name);
    for (const name of serviceNames)
      expect(files['nats-users.env']).toContain(
        `NATS_PASSWORD_${variable(name)}=${new URL(files[`nats-${name}.url`] ?? '').password}`,
      );
  });

  it('are new each time, of the right form, and no known ones', () => {
    const [one, other] = [newSecrets(), newSecrets()];
    const fixed = ['smtp.url'];
    for (const name of Object.keys(one).filter((file) => !fixed.includes(file)))
      expect(one[name]).not.toBe(other[name]);
    for (const name of Object.keys(one).filter((file) => file.endsWith('.pem')))
      expect(createPrivateKey(one[name] ?? '').asymmetricKeyType).toBe('ed25519');
    const { org_id, agent } = JSON.parse(one['credentials.json'] ?? '') as {
      org_id: string;
      agent: { id: string };
    };
    expect(typeId('org').safeParse(org_id).success).toBe(true);
    expect(typeId('agt').safeParse(agent.id).success).toBe(true);
    expect(JSON.stringify(compose)).not.toMatch(/PASSWORD[A-Z_]*":"[^$]/);
  });
});

describe('the settings of an overlay', () => {
  it('are those that pods read, and production names no other', () => {
    const read = serviceNames.flatMap((name) =>
      containerOf(name).env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.key ?? []),
    );
    expect([...new Set(read)].sort()).toEqual(keysOf('k8s/base/settings.env').sort());
    expect(keysOf('k8s/base/settings.env')).toEqual(
      expect.arrayContaining(keysOf('k8s/overlays/production/settings.env')),
    );
  });

  it('keep as many copies of the stream as there are servers of NATS', () => {
    const replicas = (path: string) =>
      manifestsOf(path)
        .filter(({ kind }) => kind === 'StatefulSet')
        .map(({ spec }) => (spec as { replicas: number }).replicas);
    expect(textOf('k8s/base/settings.env')).toContain('event-stream-replicas=1\n');
    expect(replicas('k8s/overlays/demo/nats.yaml')).toEqual([1]);
    expect(textOf('k8s/overlays/production/settings.env')).toContain('event-stream-replicas=3\n');
    expect(replicas('k8s/overlays/production/nats.yaml')).toEqual([3]);
  });
});

describe('docker-compose.yml', () => {
  it('names versions of all images, and ours are of this release', () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    for (const [name, { image }] of Object.entries(compose)) {
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+/)]);
      if (image.startsWith('agentlattice/')) expect(image).toBe(`agentlattice/${name}:${version}`);
    }
  });

  it('mounts files that exist', () => {
    const mounted = Object.values(compose)
      .flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0] ?? ''))
      .filter((path) => path.startsWith('./'));
    expect(mounted.length).toBeGreaterThan(5);
    // By tools/deploy-secrets.mjs.
    const made = (path: string) => path.startsWith('./deploy/secrets/');
    expect(mounted.filter((path) => !made(path) && !existsSync(join(root, path)))).toEqual([]);
  });
});

it.each(['deploy/nats/server.conf', 'deploy/nats/cluster.conf', 'tools/launcher/src/nats/nats-config.ts'])(
  'a client that hangs gets no commands after 15 s, by %s',
  (path) => {
    const [, seconds, most] = /ping_interval: "(\d+)s".*?ping_max: (\d+)/s.exec(textOf(path)) ?? [];
    // The server sends so many pings, and gives up when the next one is due.
    expect(Number(seconds) * (Number(most) + 1)).toBeLessThanOrEqual(15);
  },
);
