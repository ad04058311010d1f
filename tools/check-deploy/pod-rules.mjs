// What every pod of a manifest must be, beyond its schema. Each rule returns sentences about what is wrong; none is fine. A test
// breaks a good manifest field by field, and each break must be found.

import { fits } from './selectors.mjs';

/** How long a service may take to stop (`stopWithinMs` of libs/service/src/run-service.ts), in seconds. */
export const stopSeconds = 8;

const workloads = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'];
export const isWorkload = ({ kind }) => workloads.includes(kind);
export const templateOf = ({ kind, spec }) =>
  kind === 'CronJob' ? spec.jobTemplate.spec.template : spec.template;
const titleOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;

/** @param requireDigests whether images must be named by digest, as in a release */
export function podFaults(manifest, { requireDigests = false } = {}) {
  if (!isWorkload(manifest)) return [];
  const template = templateOf(manifest);
  const pod = template.spec;
  const containers = [...(pod.initContainers ?? []), ...(pod.containers ?? [])];
  return [
    ...podRules(pod),
    ...(containers.length === 0 ? ['has no container'] : []),
    ...containers.flatMap((container) =>
      [...containerRules(container), ...imageRules(container.image ?? '', requireDigests)].map(
        (fault) => `${container.name}: ${fault}`,
      ),
    ),
    ...(['Deployment', 'StatefulSet'].includes(manifest.kind) ? servingRules(manifest, template) : []),
  ].map((fault) => `${titleOf(manifest)}: ${fault}`);
}

const rule = (holds, fault) => (holds ? [] : [fault]);
const isHigh = (id) => Number.isInteger(id) && id >= 10_000;

function podRules(pod) {
  const security = pod.securityContext ?? {};
  return [
    ...rule(security.runAsNonRoot === true, 'may run as root (runAsNonRoot)'),
    ...rule(isHigh(security.runAsUser), 'has no user of its own from 10000 on (runAsUser)'),
    ...rule(isHigh(security.runAsGroup), 'has no group of its own from 10000 on (runAsGroup)'),
    ...rule(security.seccompProfile?.type === 'RuntimeDefault', 'has no seccomp profile'),
    ...rule(
      !pod.hostNetwork && !pod.hostPID && !pod.hostIPC && pod.hostUsers !== true,
      'shares namespaces with its node',
    ),
    ...rule(!(pod.volumes ?? []).some(({ hostPath }) => hostPath), 'mounts a folder of its node'),
    ...rule(
      (pod.volumes ?? []).every(({ emptyDir }) => !emptyDir || emptyDir.sizeLimit !== undefined),
      'may fill the disk of its node (emptyDir without sizeLimit)',
    ),
    ...rule(pod.automountServiceAccountToken === false, 'gets a token of the Kubernetes API'),
    ...rule((pod.serviceAccountName ?? 'default') !== 'default', 'has no service account of its own'),
    ...rule(pod.enableServiceLinks === false, 'gets the addresses of all Services in its environment'),
  ];
}

const namesASecret = /PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL/;
const namesAPlace = /_(FILE|DIR)$/;

function containerRules({ securityContext = {}, resources = {}, env = [] }) {
  const { requests = {}, limits = {} } = resources;
  const { runAsUser, runAsGroup } = securityContext;
  return [
    ...rule(securityContext.allowPrivilegeEscalation === false, 'may gain privileges'),
    ...rule(securityContext.privileged !== true, 'is privileged'),
    ...rule(securityContext.readOnlyRootFilesystem === true, 'may write into its image'),
    ...rule((securityContext.capabilities?.drop ?? []).includes('ALL'), 'keeps capabilities'),
    ...rule((securityContext.capabilities?.add ?? []).length === 0, 'gains capabilities'),
    ...rule(securityContext.runAsNonRoot !== false, 'may run as root (runAsNonRoot)'),
    ...rule(
      [runAsUser, runAsGroup].every((id) => id === undefined || isHigh(id)),
      'takes another user',
    ),
    ...rule(requests.cpu !== undefined, 'requests no CPU'),
    ...rule(limits.memory !== undefined, 'has no limit of memory'),
    ...rule(requests.memory === limits.memory, 'requests less memory than its limit'),
    ...env
      .filter(({ name, value }) => value !== undefined && namesASecret.test(name) && !namesAPlace.test(name))
      .map(({ name }) => `has a secret as text in ${name}`),
    ...env
      .filter(({ value }) => /^\w+:\/\/[^/@]*:[^/@$]+@/.test(value ?? ''))
      .map(({ name }) => `has a password in ${name}`),
  ];
}

function imageRules(image, requireDigests) {
  const hasDigest = /@sha256:[0-9a-f]{64}$/.test(image);
  const tag = /:([^/:@]+)(?:@|$)/.exec(image)?.[1];
  return [
    ...rule(hasDigest || tag !== undefined, `the image ${image} has no version`),
    ...rule(tag !== 'latest', `the image ${image} changes (latest)`),
    ...rule(hasDigest || !requireDigests, `the image ${image} has no digest`),
  ];
}

const probed = (probe) => JSON.stringify(probe?.httpGet ?? probe?.tcpSocket ?? probe?.exec ?? null);

function servingRules(manifest, { metadata, spec: pod }) {
  const { selector, strategy, replicas } = manifest.spec;
  const labels = Object.entries(selector?.matchLabels ?? {});
  const preStop = Math.max(
    0,
    ...pod.containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0),
  );
  const spread = pod.topologySpreadConstraints ?? [];
  const isReplicated = manifest.kind === 'Deployment' ? replicas !== 1 : (replicas ?? 1) > 1;
  return [
    ...rule(
      !isReplicated || spread.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname'),
      'may have all replicas on one node (topologySpreadConstraints)',
    ),
    ...rule(
      manifest.kind !== 'Deployment' ||
        spread.every(({ matchLabelKeys = [] }) => matchLabelKeys.includes('pod-template-hash')),
      'counts the pods of the old release when it spreads those of the new one (matchLabelKeys)',
    ),
    ...rule(
      spread.every(({ labelSelector }) => fits(labelSelector, metadata?.labels)),
      'spreads pods other than its own',
    ),
    ...rule(
      labels.length > 0 && labels.every(([name, value]) => metadata?.labels?.[name] === value),
      'selects pods other than its own',
    ),
    ...rule(
      manifest.kind !== 'Deployment' || replicas === 1 || strategy?.rollingUpdate?.maxUnavailable === 0,
      'takes a replica away before its successor is ready (maxUnavailable)',
    ),
    ...rule(
      (pod.terminationGracePeriodSeconds ?? 30) > preStop + stopSeconds,
      'is killed before it has stopped (terminationGracePeriodSeconds)',
    ),
    ...pod.containers.flatMap(({ name, livenessProbe, readinessProbe }) => [
      ...rule(livenessProbe !== undefined, `${name}: has no liveness probe`),
      ...rule(readinessProbe !== undefined, `${name}: has no readiness probe`),
      ...rule(
        livenessProbe === undefined || probed(livenessProbe) !== probed(readinessProbe),
        `${name}: is restarted whenever it is not ready (equal probes)`,
      ),
      ...rule(
        !(livenessProbe?.httpGet?.path ?? '').startsWith('/readyz'),
        `${name}: is restarted when a server that it needs is away`,
      ),
      ...rule(
        !(readinessProbe?.httpGet?.path ?? '').startsWith('/readyz') ||
          readinessProbe.httpGet.path === '/readyz?scope=local',
        `${name}: leaves the Service when another service is away`,
      ),
    ]),
  ];
}
