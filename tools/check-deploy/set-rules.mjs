// What the manifests of one overlay must be together: everything that is named exists, and nothing blocks or escapes.
import { isWorkload, templateOf } from './pod-rules.mjs';
import { fits } from './selectors.mjs';

/** The API versions that Kubernetes 1.30 and the newest one have. Another one is a misspelling, or was removed. */
const apis = new Set(['v1', 'apps/v1', 'batch/v1', 'policy/v1', 'autoscaling/v2', 'networking.k8s.io/v1']);
/** Of the operators that the components need; their schemas are no part of Kubernetes. */
const operators = new Set(['keda.sh/v1alpha1', 'external-secrets.io/v1']);
export const isOfAnOperator = ({ apiVersion }) => operators.has(apiVersion);

const ofKind = (manifests, kind) => manifests.filter((manifest) => manifest.kind === kind);
const named = (manifests, kind, name) =>
  ofKind(manifests, kind).find(({ metadata }) => metadata.name === name);

const podLabels = (manifests) =>
  manifests.filter(isWorkload).map((manifest) => templateOf(manifest).metadata?.labels ?? {});

export function setFaults(manifests) {
  const pods = podLabels(manifests);
  const matches = (selector) => pods.some((labels) => fits(selector, labels));
  const policies = ofKind(manifests, 'NetworkPolicy').map(({ spec }) => spec);
  const denies = (direction) =>
    policies.some(
      ({ podSelector, policyTypes, ingress, egress }) =>
        Object.keys(podSelector).length === 0 &&
        policyTypes.includes(direction) &&
        (direction === 'Ingress' ? ingress : egress) === undefined,
    );
  const hasDns = policies.some(
    ({ podSelector, egress = [] }) =>
      Object.keys(podSelector).length === 0 &&
      egress.some(({ ports = [] }) =>
        ['UDP', 'TCP'].every((protocol) =>
          ports.some((port) => port.protocol === protocol && port.port === 53),
        ),
      ),
  );
  return [
    ...manifests
      .filter(({ apiVersion }) => !apis.has(apiVersion) && !operators.has(apiVersion))
      .map(({ kind, apiVersion }) => `${kind}: ${apiVersion} is no API of these versions`),
    ...ofKind(manifests, 'Service')
      .filter(({ spec }) => !matches({ matchLabels: spec.selector }))
      .map(({ metadata }) => `Service ${metadata.name} has no pods`),
    ...ofKind(manifests, 'NetworkPolicy')
      .filter(({ spec }) => !matches(spec.podSelector))
      .map(({ metadata }) => `NetworkPolicy ${metadata.name} matches no pod`),
    ...(denies('Ingress') ? [] : ['no NetworkPolicy denies what may come in']),
    ...(denies('Egress') ? [] : ['no NetworkPolicy denies what may go out']),
    ...(hasDns ? [] : ['no NetworkPolicy allows DNS']),
    ...ofKind(manifests, 'PodDisruptionBudget').flatMap((budget) => budgetFaults(budget, manifests)),
    ...ofKind(manifests, 'HorizontalPodAutoscaler').flatMap((scaler) => scalerFaults(scaler, manifests)),
    ...ofKind(manifests, 'ScaledObject').flatMap((scaler) => scaledObjectFaults(scaler, manifests)),
    ...externalSecretFaults(manifests),
    ...manifests.filter(isWorkload).flatMap((manifest) => workloadFaults(manifest, manifests)),
    ...namespaceFaults(manifests),
  ];
}

function replicasOf(manifest, manifests) {
  const scaler = ofKind(manifests, 'HorizontalPodAutoscaler').find(
    ({ spec }) => spec.scaleTargetRef.name === manifest.metadata.name,
  );
  const scaled = ofKind(manifests, 'ScaledObject').find(
    ({ spec }) => spec.scaleTargetRef.name === manifest.metadata.name,
  );
  return scaler?.spec.minReplicas ?? scaled?.spec.minReplicaCount ?? manifest.spec.replicas ?? 1;
}

function budgetFaults({ metadata, spec }, manifests) {
  const target = manifests
    .filter(isWorkload)
    .find((manifest) => fits(spec.selector, templateOf(manifest).metadata?.labels));
  if (target === undefined) return [`PodDisruptionBudget ${metadata.name} matches no pod`];
  const blocks = spec.maxUnavailable === 0 || spec.minAvailable >= replicasOf(target, manifests);
  return [
    ...(blocks ? [`PodDisruptionBudget ${metadata.name} lets no node be drained`] : []),
    ...(spec.unhealthyPodEvictionPolicy === 'AlwaysAllow'
      ? []
      : [`PodDisruptionBudget ${metadata.name} keeps broken pods on a node`]),
  ];
}

function scalerFaults({ metadata, spec }, manifests) {
  const { kind, name } = spec.scaleTargetRef;
  const target = named(manifests, kind, name);
  if (target === undefined) return [`HorizontalPodAutoscaler ${metadata.name} scales nothing`];
  return [
    ...(target.spec.replicas === undefined
      ? []
      : [`${kind} ${name} sets replicas beside its HorizontalPodAutoscaler`]),
    ...(spec.minReplicas >= 2 ? [] : [`HorizontalPodAutoscaler ${metadata.name} goes down to one replica`]),
    ...(spec.metrics.some(({ resource }) => resource?.name === 'memory')
      ? [`HorizontalPodAutoscaler ${metadata.name} scales by memory`]
      : []),
  ];
}

const jetStreamSettings = [
  'natsServerMonitoringEndpoint',
  'account',
  'stream',
  'consumer',
  'lagThreshold',
  'useHttps',
];

/** KEDA's API is not among the schemas, so misspelt members are found here. */
function scaledObjectFaults({ metadata, spec }, manifests) {
  const { kind, name } = spec.scaleTargetRef ?? {};
  const target = named(manifests, kind, name);
  const title = `ScaledObject ${metadata.name}`;
  if (target === undefined) return [`${title} scales nothing`];
  const services = ofKind(manifests, 'Service').map((service) => service.metadata.name);
  const rivals = ofKind(manifests, 'HorizontalPodAutoscaler').filter(
    (scaler) => scaler.spec.scaleTargetRef.name === name,
  );
  return [
    ...rivals.map(() => `${title} and a HorizontalPodAutoscaler scale the same ${kind} ${name}`),
    ...(target.spec.replicas === undefined ? [] : [`${kind} ${name} sets replicas beside its ScaledObject`]),
    ...(spec.minReplicaCount >= 2 ? [] : [`${title} goes down to one replica or none`]),
    ...((spec.triggers ?? []).length > 0 ? [] : [`${title} has no trigger`]),
    ...(spec.triggers ?? []).flatMap(({ type, metadata: settings = {} }) => {
      if (type !== 'nats-jetstream') return [`${title} has a trigger that is not checked: ${type}`];
      const host = (settings.natsServerMonitoringEndpoint ?? '').split('.')[0];
      return [
        ...Object.keys(settings)
          .filter((setting) => !jetStreamSettings.includes(setting))
          .map((setting) => `${title} has an unknown setting ${setting}`),
        ...jetStreamSettings
          .filter((setting) => settings[setting] === undefined)
          .map((setting) => `${title} does not set ${setting}`),
        ...(services.includes(host) ? [] : [`${title} asks a Service that is not there: ${host}`]),
      ];
    }),
  ];
}

/** The names of the Secrets that pods need. */
export function neededSecrets(manifests) {
  const names = manifests.filter(isWorkload).flatMap((manifest) => {
    const { volumes = [], containers = [] } = templateOf(manifest).spec;
    return [
      ...volumes.flatMap(({ secret, projected }) => [
        ...(secret === undefined ? [] : [secret.secretName]),
        ...(projected?.sources ?? []).flatMap((source) => source.secret?.name ?? []),
      ]),
      ...containers.flatMap(({ envFrom = [], env = [] }) => [
        ...envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
        ...env.flatMap(({ valueFrom }) =>
          valueFrom?.secretKeyRef?.optional === true ? [] : (valueFrom?.secretKeyRef?.name ?? []),
        ),
      ]),
    ];
  });
  return [...new Set(names)].sort();
}

/** Where an operator makes Secrets, it makes all of them, and each under the name that pods know. */
function externalSecretFaults(manifests) {
  const external = ofKind(manifests, 'ExternalSecret');
  if (external.length === 0) return [];
  const made = external.map(({ metadata, spec }) => spec.target?.name ?? metadata.name);
  return [
    ...neededSecrets(manifests)
      .filter((name) => !made.includes(name))
      .map((name) => `no ExternalSecret makes ${name}`),
    ...external
      .filter(({ metadata, spec }) => {
        const read = (spec.dataFrom ?? []).map(({ extract }) => extract?.key);
        return spec.target?.name !== metadata.name || read.length !== 1 || read[0] === undefined;
      })
      .map(({ metadata }) => `ExternalSecret ${metadata.name} reads no entry of the store`),
    ...external
      .filter(({ spec }) => spec.secretStoreRef?.name === undefined)
      .map(({ metadata }) => `ExternalSecret ${metadata.name} names no store`),
  ];
}

function workloadFaults(manifest, manifests) {
  const { kind, metadata } = manifest;
  const template = templateOf(manifest);
  const title = `${kind} ${metadata.name}`;
  const budgets = ofKind(manifests, 'PodDisruptionBudget');
  const claims = (template.spec.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
  const isServing = kind === 'Deployment' || kind === 'StatefulSet';
  const isCovered = budgets.some(({ spec }) => fits(spec.selector, template.metadata?.labels));
  return [
    ...(isServing && replicasOf(manifest, manifests) > 1 && !isCovered
      ? [`${title} has no PodDisruptionBudget`]
      : []),
    ...(named(manifests, 'ServiceAccount', template.spec.serviceAccountName)
      ? []
      : [`${title} names a service account that is not there`]),
    ...claims
      .filter((name) => !named(manifests, 'PersistentVolumeClaim', name))
      .map((name) => `${title} claims ${name}, which is not there`),
  ];
}

/** Restricted Pod Security, with its version: a newer cluster must not judge otherwise. */
function namespaceFaults(manifests) {
  const places = new Set(
    manifests.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace),
  );
  const labels = ofKind(manifests, 'Namespace')[0]?.metadata.labels ?? {};
  const level = 'pod-security.kubernetes.io';
  return [
    ...(places.size === 1 ? [] : [`the manifests are in several namespaces: ${[...places].join(', ')}`]),
    ...(labels[`${level}/enforce`] === 'restricted'
      ? []
      : ['the namespace does not enforce restricted Pod Security']),
    ...(/^v1\.\d+$/.test(labels[`${level}/enforce-version`] ?? '')
      ? []
      : ['the namespace names no version of Pod Security']),
  ];
}

/**
 * The connections that the policies allow, as `from → to port`, from both ends. Pods go by their label app.kubernetes.io/name;
 * a namespace by the label that selects it; a network by its CIDR.
 */
export function arrows(manifests) {
  const label = 'app.kubernetes.io/name';
  const names = podLabels(manifests).map((labels) => labels[label]);
  const pods = (selector) => [...new Set(names)].filter((name) => fits(selector, { [label]: name }));
  const peers = ({ podSelector, namespaceSelector, ipBlock }) => {
    if (ipBlock !== undefined) return [ipBlock.cidr === '0.0.0.0/0' ? 'internet' : `network ${ipBlock.cidr}`];
    if (namespaceSelector === undefined) return pods(podSelector);
    return Object.entries(namespaceSelector.matchLabels).map(([name, value]) =>
      value === 'true' ? name.split('/')[1] : value,
    );
  };
  const outgoing = new Set();
  const incoming = new Set();
  for (const { spec } of ofKind(manifests, 'NetworkPolicy')) {
    if (Object.keys(spec.podSelector).length === 0) continue;
    for (const self of pods(spec.podSelector)) {
      for (const { to = [], ports = [] } of spec.egress ?? [])
        for (const { port } of ports)
          for (const other of to.flatMap(peers)) outgoing.add(`${self} → ${other} ${String(port)}`);
      for (const { from = [], ports = [] } of spec.ingress ?? [])
        for (const { port } of ports)
          for (const other of from.flatMap(peers)) incoming.add(`${other} → ${self} ${String(port)}`);
    }
  }
  const isInside = (name) => names.includes(name);
  const oneSided = [
    ...[...outgoing].filter((arrow) => isInside(arrow.split(' ')[2]) && !incoming.has(arrow)),
    ...[...incoming].filter((arrow) => isInside(arrow.split(' ')[0]) && !outgoing.has(arrow)),
  ];
  return { all: [...new Set([...outgoing, ...incoming])].sort(), oneSided: oneSided.sort() };
}
