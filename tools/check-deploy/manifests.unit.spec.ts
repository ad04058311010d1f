import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { durableConsumers, eventStreamName } from '@agentlattice/contracts';
import { podFaults, stopSeconds } from './pod-rules.mjs';
import type { Manifest } from './manifest.mjs';
import { arrows, neededSecrets, setFaults } from './set-rules.mjs';
import {
  components,
  kustomizationOf,
  layers,
  manifestsOf,
  overlay,
  root,
  textOf,
  withComponents,
  withImages,
} from './sources.js';

const overlays = ['k8s/overlays/demo', 'k8s/overlays/production'];
const { version } = JSON.parse(textOf('package.json')) as { version: string };
const rendered = (folder: string) => withImages(overlay(folder), kustomizationOf(folder));

describe.each(overlays)('the manifests of %s', (folder) => {
  it('keep every rule', () => {
    const manifests = rendered(folder);
    expect(manifests.length).toBeGreaterThan(30);
    expect(manifests.flatMap((manifest) => podFaults(manifest))).toEqual([]);
    expect(setFaults(manifests)).toEqual([]);
  });

  it('use all files of their folders, and nothing of kustomize that goes wrong in silence', () => {
    for (const { folder: at, kustomization } of layers(folder)) {
      const used = new Set([
        'kustomization.yaml',
        ...(kustomization.resources ?? []),
        ...(kustomization.patches ?? []).map(({ path }) => path),
        ...[...(kustomization.configMapGenerator ?? []), ...(kustomization.secretGenerator ?? [])].flatMap(
          ({ envs = [], files = [] }) => [...envs, ...files],
        ),
      ]);
      for (const { name } of readdirSync(join(root, at), { withFileTypes: true }).filter((e) => e.isFile()))
        expect(used).toContain(name);
      const known = ['apiVersion', 'kind', 'namespace', 'labels', 'resources', 'patches', 'images'];
      expect([...known, 'configMapGenerator', 'secretGenerator']).toEqual(
        expect.arrayContaining(Object.keys(kustomization)),
      );
      // A patch or an image that fits nothing is ignored by kustomize.
      const all = overlay(at);
      for (const { target, path } of kustomization.patches ?? []) {
        expect(all.map(({ kind, metadata }) => [kind, metadata.name])).toContainEqual([
          target.kind,
          target.name,
        ]);
        expect(manifestsOf(join(at, path)).map(({ kind }) => kind)).toEqual([target.kind]);
      }
      for (const { name } of kustomization.images ?? [])
        expect(JSON.stringify(all)).toContain(`"image":"${name}"`);
    }
  });

  it('run images of this release', () => {
    const ours = (kustomizationOf(folder).images ?? []).map(({ newTag }) => newTag);
    expect(ours).toEqual(Array.from({ length: 6 }, () => version));
    expect(
      overlay(folder)
        .filter(({ kind }) => kind === 'Job')
        .map(({ metadata }) => metadata.name),
    ).toEqual([`migrate-${version.replaceAll('.', '-')}`]);
  });

  it('allow the connections of docs/architecture.md and no others', () => {
    const { all, oneSided } = arrows(overlay(folder));
    expect(oneSided).toEqual([]);
    const place = folder.split('/').at(-1) ?? '';
    const table = textOf('docs/architecture.md').split('## Connections')[1]?.split('\n## ')[0] ?? '';
    const wanted = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| (\d+) *\| ([^|]+) \|/gm)].flatMap(
      ([, from = '', to = '', port = '', where = '']) =>
        where.trim() === 'all' || where.trim() === place
          ? from.split(',').map((name) => `${name.trim()} → ${to.trim()} ${port}`)
          : [],
    );
    expect(all).toEqual(wanted.sort());
  });
});

describe('the optional components', () => {
  const production = () => withComponents(rendered('k8s/overlays/production'));

  it('keep every rule together with production', () => {
    expect(components).toHaveLength(2);
    expect(production().flatMap((manifest) => podFaults(manifest))).toEqual([]);
    expect(setFaults(production())).toEqual([]);
    expect(
      production().find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'notifier')?.[
        'spec'
      ],
    ).not.toHaveProperty('replicas');
  });

  it.each(components)('%s uses all its files, and its patches name what is there', (folder) => {
    const { kind, resources = [], patches = [] } = kustomizationOf(folder);
    expect(kind).toBe('Component');
    const files = ['kustomization.yaml', ...resources, ...patches.map(({ path }) => path)];
    expect(readdirSync(join(root, folder)).sort()).toEqual(files.sort());
    const all = overlay('k8s/overlays/production').map(({ kind, metadata }) => [kind, metadata.name]);
    for (const { target } of patches) expect(all).toContainEqual([target.kind, target.name]);
  });

  it('open one more connection, which docs/architecture.md has', () => {
    const before = new Set(arrows(rendered('k8s/overlays/production')).all);
    const added = arrows(production()).all.filter((arrow) => !before.has(arrow));
    const table = textOf('docs/architecture.md').split('## Connections')[1] ?? '';
    const wanted = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| (\d+) *\| component keda +\|/gm)].map(
      ([, from = '', to = '', port = '']) => `${from.trim()} → ${to.trim()} ${port}`,
    );
    expect(added).toEqual(wanted);
    expect(added).toHaveLength(1);
  });

  it('name a consumer and a stream of the contracts, and the Secrets that the documents name', () => {
    const [scaler] = manifestsOf('k8s/components/keda/scaled-objects.yaml');
    const { triggers } = scaler?.['spec'] as {
      triggers: { metadata: { consumer: string; stream: string } }[];
    };
    expect(triggers[0]?.metadata.stream).toBe(eventStreamName);
    expect(durableConsumers.notifier).toContain(triggers[0]?.metadata.consumer);
    const made = manifestsOf('k8s/components/external-secrets/secrets.yaml').map(
      ({ metadata }) => metadata.name,
    );
    expect(made.sort()).toEqual(neededSecrets(rendered('k8s/overlays/production')));
    for (const name of made) expect(textOf('docs/operations/kubernetes.md')).toContain(`\`${name}\``);
  });

  const text = JSON.stringify(production());
  it.each([
    [
      '"name":"policy-engine"},"minReplicas":2',
      '"name":"notifier"},"minReplicas":2',
      'scale the same Deployment notifier',
    ],
    ['"minReplicaCount":2', '"minReplicaCount":0', 'goes down to one replica or none'],
    ['"lagThreshold"', '"lagTreshold"', 'unknown setting lagTreshold'],
    ['"lagThreshold"', '"lagTreshold"', 'does not set lagThreshold'],
    ['"type":"nats-jetstream"', '"type":"memory"', 'a trigger that is not checked: memory'],
    [
      '"natsServerMonitoringEndpoint":"nats-servers.',
      '"natsServerMonitoringEndpoint":"nats-monitor.',
      'not there: nats-monitor',
    ],
    ['"target":{"name":"redis"', '"target":{"name":"valkey"', 'no ExternalSecret makes redis'],
    [
      '"secretStoreRef":{"kind":"ClusterSecretStore","name":"agentlattice"}',
      '"secretStoreRef":{}',
      'names no store',
    ],
    ['{"extract":{"key":"agentlattice/redis"}}', '', 'redis reads no entry of the store'],
  ])('are refused with one fault: %s', (from, to, fault) => {
    expect(text).toContain(from);
    expect(setFaults(JSON.parse(text.replace(from, to)) as Manifest[]).join('\n')).toContain(fault);
  });
});

it('the rules know how long a service may take to stop', () =>
  expect(textOf('libs/service/src/run-service.ts')).toContain(
    `const stopWithinMs = ${String(stopSeconds)}_000;`,
  ));

describe('a manifest with one fault', () => {
  const gateway = () => manifestsOf('k8s/base/gateway.yaml')[0];
  /** Replaces one text of the manifest. */
  const changed = (from: string | RegExp, to: string): Manifest[] => {
    const text = JSON.stringify(gateway()).replaceAll(
      '"image":"agentlattice/gateway"',
      '"image":"a/gateway:1.0.0"',
    );
    const other = text.replace(from, to);
    expect(other).not.toBe(text);
    return [JSON.parse(other) as Manifest];
  };
  const digest = `a/gateway@sha256:${'0'.repeat(64)}`;

  it('is a good one before', () => {
    expect(
      changed('a/gateway:1.0.0', digest).flatMap((manifest) => podFaults(manifest, { requireDigests: true })),
    ).toEqual([]);
  });

  it.each([
    [/"runAsNonRoot":true/, '"runAsNonRoot":false', 'may run as root'],
    [/"runAsNonRoot":true,"capabilities"/, '"runAsNonRoot":false,"capabilities"', 'may run as root'],
    ['"runAsUser":65532', '"runAsUser":0', 'no user of its own'],
    ['"runAsUser":65532,', '', 'no user of its own'],
    ['"runAsGroup":65532', '"runAsGroup":100', 'no group of its own'],
    [',"seccompProfile":{"type":"RuntimeDefault"}', '', 'no seccomp profile'],
    ['"RuntimeDefault"', '"Unconfined"', 'no seccomp profile'],
    [
      '"enableServiceLinks":false',
      '"enableServiceLinks":false,"hostNetwork":true',
      'namespaces with its node',
    ],
    ['"enableServiceLinks":false', '"enableServiceLinks":false,"hostPID":true', 'namespaces with its node'],
    ['"emptyDir":{"sizeLimit":"64Mi"}', '"hostPath":{"path":"/"}', 'a folder of its node'],
    [
      '"automountServiceAccountToken":false',
      '"automountServiceAccountToken":true',
      'token of the Kubernetes API',
    ],
    ['"serviceAccountName":"gateway",', '', 'no service account'],
    ['"enableServiceLinks":false', '"enableServiceLinks":true', 'addresses of all Services'],
    ['"allowPrivilegeEscalation":false', '"allowPrivilegeEscalation":true', 'may gain privileges'],
    ['"allowPrivilegeEscalation":false,', '', 'may gain privileges'],
    ['"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":true,"privileged":true', 'is privileged'],
    ['"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false', 'write into its image'],
    ['"drop":["ALL"]', '"drop":["NET_RAW"]', 'keeps capabilities'],
    ['"drop":["ALL"]', '"drop":["ALL"],"add":["SYS_ADMIN"]', 'gains capabilities'],
    [/"limits":\{"memory":"\w+",/, '"limits":{', 'no limit of memory'],
    [/"requests":\{"cpu":"250m","memory":"\w+"/, '"requests":{"cpu":"250m","memory":"16Mi"', 'less memory'],
    ['"cpu":"250m",', '', 'requests no CPU'],
    ['"a/gateway:1.0.0"', '"a/gateway:latest"', 'latest'],
    ['"a/gateway:1.0.0"', '"a/gateway"', 'has no version'],
    ['/readyz?scope=local', '/readyz', 'another service is away'],
    ['/readyz?scope=local', '/healthz', 'equal probes'],
    [
      /"livenessProbe":\{"httpGet":\{"path":"\/healthz"/,
      '"livenessProbe":{"httpGet":{"path":"/readyz?scope=local"',
      'a server that it needs',
    ],
    ['"livenessProbe"', '"livenesProbe"', 'no liveness probe'],
    ['"readinessProbe"', '"readinesProbe"', 'no readiness probe'],
    ['"maxUnavailable":0', '"maxUnavailable":1', 'before its successor'],
    ['"emptyDir":{"sizeLimit":"64Mi"}', '"emptyDir":{}', 'the disk of its node'],
    ['"topologyKey":"kubernetes.io/hostname"', '"topologyKey":"kubernetes.io/arch"', 'replicas on one node'],
    [',"matchLabelKeys":["pod-template-hash"]', '', 'of the old release'],
    [
      '"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"gateway"}}',
      '"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"gate"}}',
      'spreads pods other',
    ],
    ['"terminationGracePeriodSeconds":60', '"terminationGracePeriodSeconds":15', 'killed before'],
    [
      '"template":{"metadata":{"labels":{"app.kubernetes.io/name"',
      '"template":{"metadata":{"labels":{"app"',
      'other than its own',
    ],
    ['"env":[', '"env":[{"name":"CHANNEL_SECRETS_KEY","value":"x"},', 'secret as text'],
    ['"env":[', '"env":[{"name":"DATABASE_URL","value":"postgres://a:b@c/d"},', 'a password in'],
  ])('is found: %s', (from, to, fault) => {
    const faults = changed(from, to).flatMap((manifest) => podFaults(manifest));
    expect(faults).toContainEqual(expect.stringContaining(fault));
  });

  it('is found in jobs and in containers that run first', () => {
    const [job] = manifestsOf('k8s/base/migrate.yaml');
    const text = JSON.stringify(job).replace(
      '"containers":',
      '"initContainers":[{"name":"first","image":"b:1"}],"containers":',
    );
    expect(podFaults(JSON.parse(text) as Manifest).join()).toContain('Job migrate-');
    expect(podFaults(JSON.parse(text) as Manifest).join()).toContain('first: may gain privileges');
  });

  it('has no digest where a release needs one', () =>
    expect(
      changed('"cpu":"250m"', '"cpu":"300m"').flatMap((m) => podFaults(m, { requireDigests: true })),
    ).toEqual(['Deployment gateway: gateway: the image a/gateway:1.0.0 has no digest']));
});

describe('manifests with one fault among them', () => {
  const demo = JSON.stringify(rendered('k8s/overlays/demo'));

  it.each([
    ['"apiVersion":"policy/v1"', '"apiVersion":"policy/v1beta1"', 'policy/v1beta1 is no API'],
    [
      '"selector":{"app.kubernetes.io/name":"gateway"}',
      '"selector":{"app":"gateway"}',
      'Service gateway has no pods',
    ],
    [
      '"name":"default-deny"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]',
      '"name":"default-deny"},"spec":{"podSelector":{},"policyTypes":["Ingress"]',
      'what may go out',
    ],
    ['"policyTypes":["Ingress","Egress"]', '"policyTypes":["Egress"]', 'what may come in'],
    ['"protocol":"TCP","port":53', '"protocol":"TCP","port":54', 'allows DNS'],
    ['"maxUnavailable":1,"unhealthy', '"maxUnavailable":0,"unhealthy', 'lets no node be drained'],
    [
      '"unhealthyPodEvictionPolicy":"AlwaysAllow"',
      '"unhealthyPodEvictionPolicy":"IfHealthyBudget"',
      'keeps broken pods',
    ],
    ['"minReplicas":2', '"minReplicas":1', 'goes down to one'],
    [
      '"metadata":{"name":"notifier"',
      '"metadata":{"namespace":"default","name":"notifier"',
      'in several namespaces',
    ],
    [
      '"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"gateway"',
      '"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"gate"',
      'scales nothing',
    ],
    ['"spec":{"revisionHistoryLimit"', '"spec":{"replicas":2,"revisionHistoryLimit"', 'sets replicas beside'],
    ['"resource":{"name":"cpu"', '"resource":{"name":"memory"', 'scales by memory'],
    ['"serviceAccountName":"notifier"', '"serviceAccountName":"notify"', 'service account that is not there'],
    ['"claimName":"audit-ledger-archive"', '"claimName":"archive"', 'claims archive'],
    [
      '"pod-security.kubernetes.io/enforce":"restricted"',
      '"pod-security.kubernetes.io/enforce":"baseline"',
      'restricted Pod Security',
    ],
    [
      /\{"apiVersion":"policy\/v1","kind":"PodDisruptionBudget","metadata":\{"name":"notifier".*?AlwaysAllow".*?\}\}\},/,
      '',
      'Deployment notifier has no PodDisruptionBudget',
    ],
  ])('are refused: %s', (from, to, fault) => {
    const text = demo.replace(from, to);
    expect(text).not.toBe(demo);
    expect(setFaults(JSON.parse(text) as Manifest[]).join('\n')).toContain(fault);
  });

  it('allow a connection from one end only', () => {
    const text = demo.replace('"port":6379}]}]}},{', '"port":6380}]}]}},{');
    expect(text).not.toBe(demo);
    expect(arrows(JSON.parse(text) as Manifest[]).oneSided).toEqual([
      'approval-service → redis 6379',
      'approval-service → redis 6380',
    ]);
  });
});
