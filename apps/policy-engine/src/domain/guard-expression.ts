import type { Fuel } from './fuel.js';
import { searchCost, textCost } from './fuel.js';
import { kindOf } from './kind.js';
import { listHas, mismatch, outOfFuel, pay, strictlyEqual, typeMismatch } from './strict-equality.js';

/** The part of the CEL package's evaluator that a node of a parsed expression uses. */
export interface Evaluator {
  run(node: CelNode, context: unknown): unknown;
}
type Evaluate = (evaluator: Evaluator, node: unknown, context: unknown) => unknown;
type Handle = (...parts: unknown[]) => unknown;

/** A node of a parsed expression of the package; `handle` and the parts other than `args` exist after the check. */
export interface CelNode {
  readonly op: string;
  readonly args: unknown;
  readonly meta: {
    readonly alternate?: CelNode;
    readonly macro?: { readonly evaluate: Evaluate; readonly macroHasProps?: readonly CelNode[] };
    readonly evaluate: Evaluate;
  };
  evaluate: Evaluate;
  readonly handle: Handle;
  readonly checkedType?: { readonly kind: string };
  readonly receiverWithArgs?: readonly CelNode[];
}

/** The cost of evaluating any node, in steps. */
const nodeCost = 4;
/** The cost of a call of a function of the package, which searches for the overload of the types. */
const callBaseCost = 30;
/** The cost of an error of the package with its place in the text. */
const errorCost = 1_000;
/** The cost of a date in another time zone by Intl. */
const timeZoneCost = 15_000;
/** The longest text that an expression may build. */
const maxText = 1024 * 1024;

/**
 * Puts a guard on every node of a checked expression. Each evaluation of a node costs fuel, and cases that the package accepts fail
 * instead (comparing values of different types, maps in place of lists). A loop's body consists of nodes, so no loop runs without
 * fuel.
 */
export function guardExpression(root: CelNode, fuelInUse: () => Fuel): void {
  let lastError: unknown;
  for (const node of nodesOf(root)) {
    const inner = guarded(node);
    node.evaluate = (evaluator, _node, context) => {
      const fuel = fuelInUse();
      pay(fuel, nodeCost);
      try {
        return inner(evaluator, context, fuel);
      } catch (error) {
        // Once, not at every node on its way up.
        if (error !== outOfFuel && error !== typeMismatch && error !== lastError) {
          lastError = error;
          pay(fuel, errorCost);
        }
        throw error;
      }
    };
  }
}

type Inner = (evaluator: Evaluator, context: unknown, fuel: Fuel) => unknown;

function guarded(node: CelNode): Inner {
  const { alternate, macro, evaluate } = node.meta;
  if (alternate !== undefined) return (evaluator, context) => evaluator.run(alternate, context);
  if (macro !== undefined)
    return node.op === 'call' && calledName(node) === 'has'
      ? hasMember(node)
      : (evaluator, context) => macro.evaluate(evaluator, macro, context);
  switch (node.op) {
    case '==':
    case '!=':
      return equality(node);
    case 'in':
      return membership(node);
    case '[]':
      return element(node);
    case 'comprehension':
      return loop(node);
    case 'call':
    case 'rcall':
      return call(node);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return operator(node);
    default:
      return (evaluator, context) => evaluate(evaluator, node, context);
  }
}

/** A literal `null` tests whether there is a value of any type; every other comparison is between values of one type. */
function equality(node: CelNode): Inner {
  const [left, right] = node.args as [CelNode, CelNode];
  const wanted = node.op === '==';
  const asksForNull = isNull(left) || isNull(right);
  return (evaluator, context, fuel) => {
    const a = evaluator.run(left, context);
    const b = evaluator.run(right, context);
    if (asksForNull) return (a === b) === wanted;
    const others = (x: unknown, y: unknown) => (node.handle(x, y, node, evaluator) === true) === wanted;
    return strictlyEqual(a, b, fuel, sameClass(others)) === wanted;
  };
}

const isNull = (node: CelNode) => node.op === 'value' && node.args === null;

/** The package answers "unequal" for classes that it does not know how to compare. */
const sameClass =
  (compare: (a: unknown, b: unknown) => boolean) =>
  (a: unknown, b: unknown): boolean => {
    if (classOf(a) !== classOf(b)) throw typeMismatch;
    return compare(a, b);
  };

const classOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? value.constructor : typeof value;

/**
 * `in` for lists. When the type depends on the request, the names of a map are not searched: `"done" in metadata.steps` does not
 * hold for `{"done": false}`.
 */
function membership(node: CelNode): Inner {
  const [left, right] = node.args as [CelNode, CelNode];
  const inMap = isMap(right);
  return (evaluator, context, fuel) => {
    const wanted = evaluator.run(left, context);
    const group = evaluator.run(right, context);
    if (Array.isArray(group)) return listHas(group, wanted, fuel, unknownClasses);
    if (!inMap || kindOf(group) !== 'map' || typeof wanted !== 'string') return mismatch(fuel);
    pay(fuel, textCost(wanted));
    return Object.hasOwn(group as object, wanted);
  };
}

/** Whether a node is a map for every request: `metadata`, an element of `data_accessed`, a map in the policy. */
const isMap = (node: CelNode) => node.checkedType?.kind === 'map';

const unknownClasses = sameClass((a, b) => {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a === b) return true;
  throw typeMismatch;
});

/** `has(a.b)`: the value of `a` must be a map; for a text or a list it fails. */
function hasMember(node: CelNode): Inner {
  const names: string[] = [];
  let [holder] = (node.args as [string, [CelNode]])[1];
  for (; holder.op === '.'; [holder] = holder.args as [CelNode])
    names.unshift((holder.args as [CelNode, string])[1]);
  const last = names.length - 1;
  return (evaluator, context, fuel) => {
    let value = evaluator.run(holder, context);
    for (const [i, name] of names.entries()) {
      if (value instanceof Map) value = value.get(name) as unknown;
      else if (kindOf(value) !== 'map') return mismatch(fuel);
      else
        value = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (value === undefined) return i === last ? false : mismatch(fuel);
    }
    return true;
  };
}

/** Numbers index lists, names index maps: `{"0": x}` is not a list. */
function element(node: CelNode): Inner {
  const [left, right] = node.args as [CelNode, CelNode];
  return (evaluator, context, fuel) => {
    const holder = evaluator.run(left, context);
    const key = evaluator.run(right, context);
    if (Array.isArray(holder) ? typeof key !== 'bigint' : typeof key !== 'string') mismatch(fuel);
    if (typeof key === 'string') pay(fuel, textCost(key));
    return node.handle(holder, key, node, evaluator);
  };
}

interface Loop {
  readonly iterable: CelNode;
  readonly init: CelNode;
  readonly step: CelNode;
  /** False ends the loop. */
  readonly condition?: (soFar: unknown) => boolean;
  readonly result: (soFar: unknown) => unknown;
  /** False for `all` and `exists`: one deciding element counts although others fail. */
  readonly errorsAreFatal: boolean;
  readonly iterCtx: {
    reuse(context: unknown): {
      accuValue: unknown;
      setIterValue(value: unknown, evaluator: Evaluator): unknown;
    };
  };
}

/**
 * `all`, `exists`, `map` and the like iterate over lists, and over the names of known maps. The package's own loop would run to the
 * end of the list without fuel.
 */
function loop(node: CelNode): Inner {
  const args = node.args as Loop;
  const { condition = () => true, step, errorsAreFatal } = args;
  const inMap = isMap(args.iterable);
  return (evaluator, outer, fuel) => {
    const range = evaluator.run(args.iterable, outer);
    const items: unknown = inMap && kindOf(range) === 'map' ? Object.keys(range as object) : range;
    if (!Array.isArray(items)) return mismatch(fuel);
    const context = args.iterCtx.reuse(outer);
    let soFar = evaluator.run(args.init, context);
    context.accuValue = soFar;
    let failed: Error | undefined;
    for (const item of items) {
      if (!condition(soFar)) break;
      try {
        soFar = evaluator.run(step, context.setIterValue(item, evaluator));
      } catch (error) {
        if (errorsAreFatal || error === outOfFuel || !(error instanceof Error)) throw error;
        failed ??= error;
      }
    }
    if (failed !== undefined && condition(soFar)) throw failed;
    return args.result(soFar);
  };
}

function call(node: CelNode): Inner {
  const name = calledName(node);
  const { receiverWithArgs } = node;
  const nodes = receiverWithArgs ?? (node.args as [string, CelNode[]])[1];
  return (evaluator, context, fuel) => {
    const values = nodes.map((one) => evaluator.run(one, context));
    pay(fuel, callCost(name, values));
    return receiverWithArgs === undefined
      ? node.handle(values, node, evaluator)
      : node.handle(values, evaluator, node);
  };
}

const calledName = (node: CelNode) => (node.args as [string])[0];

function callCost(name: string, values: readonly unknown[]): number {
  const [first, second] = values;
  let cost = callBaseCost;
  for (const value of values) cost += sizeOf(value);
  if (typeof first === 'string' && typeof second === 'string' && name !== 'startsWith' && name !== 'endsWith')
    cost += searchCost(first, second);
  if (name === 'split' && typeof first === 'string') cost += first.length >> 2;
  if (name === 'join' && Array.isArray(first)) cost += joinCost(first, second);
  if (name.startsWith('get') && values.length > 1) cost += timeZoneCost;
  return cost;
}

function joinCost(list: readonly unknown[], separator: unknown): number {
  let cost = typeof separator === 'string' ? list.length * textCost(separator) : 0;
  for (const element of list) if (typeof element === 'string') cost += textCost(element);
  return cost;
}

function operator(node: CelNode): Inner {
  const [left, right] = node.args as [CelNode, CelNode];
  return (evaluator, context, fuel) => {
    const a = evaluator.run(left, context);
    const b = evaluator.run(right, context);
    pay(fuel, sizeOf(a) + sizeOf(b));
    if (typeof a === 'string' && typeof b === 'string' && a.length + b.length > maxText) throw outOfFuel;
    return node.handle(a, b, node, evaluator);
  };
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return textCost(value);
  if (Array.isArray(value)) return value.length;
  return value instanceof Uint8Array ? value.length >> 2 : 1;
}

/** Every node below one, each once, including the expansions of macros. */
function nodesOf(root: unknown, found = new Set<CelNode>()): Set<CelNode> {
  if (Array.isArray(root)) for (const part of root as readonly unknown[]) nodesOf(part, found);
  else if (isNode(root)) {
    if (found.has(root)) return found;
    found.add(root);
    const { alternate, macro } = root.meta;
    nodesOf(root.args, found);
    nodesOf(alternate, found);
    if (macro !== undefined) nodesOf(Object.values(macro), found);
  } else if (typeof root === 'object' && root !== null && 'iterable' in root)
    nodesOf(Object.values(root), found);
  return found;
}

const isNode = (value: unknown): value is CelNode =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value && 'meta' in value;
