import { createContext, Script } from 'node:vm';
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { Facts } from './facts.js';
import type { Fuel } from './fuel.js';
import { linearPattern } from './linear-pattern.js';

export interface CompiledExpression {
  /** True only when the expression is true: an error, a missing field or a spent bound is false. */
  holds(facts: Facts, fuel: Fuel): boolean;
}

/** Most values of metadata and data_accessed that an expression may look at. */
const maxValues = 20_000;
/**
 * Only loops over the request's lists can take long; each such evaluation is stopped after this. It is wall-clock time,
 * so it must be far above what an honest loop needs on a machine that is busy with other things.
 */
const maxLoopMs = 150;
const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

// Evaluation is synchronous, so one slot is enough for the running evaluation's fuel.
let fuelInUse: Fuel = { left: 0 };

const environment = new Environment({
  limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 4 },
})
  .registerVariable('metadata', 'map<string, dyn>')
  .registerVariable('data_accessed', 'list<map<string, dyn>>')
  .registerVariable('action_type', 'string')
  .registerVariable({ name: 'agent', schema: { id: 'string', name: 'string', owner_member_id: 'dyn' } })
  .registerVariable({
    name: 'time',
    schema: {
      hour: 'int',
      minute: 'int',
      weekday: 'int',
      day: 'int',
      month: 'int',
      year: 'int',
      iso: 'string',
    },
  })
  // The library's own `matches` is JavaScript's and can be made to run for ever. It cannot be replaced, but a macro of
  // the same name is met first, whatever the receiver.
  .registerFunction('list.matches(ast): bool', matchesMacro);

interface MatchesMacro {
  receiver: ASTNode;
  args: readonly [ASTNode];
}
interface Checker {
  check(node: ASTNode, ctx: unknown): { name: string };
  getType(name: string): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Evaluator {
  run(node: ASTNode, ctx: unknown): unknown;
}

function matchesMacro({ receiver, args }: MatchesMacro) {
  const [pattern] = args;
  return {
    receiver,
    args,
    typeCheck(checker: Checker, _macro: unknown, ctx: unknown) {
      for (const node of [receiver, pattern])
        if (!['string', 'dyn'].includes(checker.check(node, ctx).name))
          throw checker.createError('no_matching_overload', 'matches is for strings', node);
      if (pattern.op === 'value') {
        const compiled = linearPattern(String(pattern.args));
        if (typeof compiled === 'string') throw checker.createError('invalid_pattern', compiled, pattern);
      }
      return checker.getType('bool');
    },
    evaluate(evaluator: Evaluator, _macro: unknown, ctx: unknown) {
      const text = evaluator.run(receiver, ctx);
      const source = evaluator.run(pattern, ctx);
      if (typeof text !== 'string' || typeof source !== 'string')
        throw new TypeError('matches is for strings');
      const compiled = compiledPattern(source);
      if (typeof compiled === 'string') throw new TypeError(compiled);
      const found = compiled.found(text, fuelInUse);
      // Not "no": `!x.matches(…)` must fail as well.
      if (fuelInUse.left < 0) throw new RangeError('too much text to search');
      return found;
    },
  };
}

const patterns = new Map<string, ReturnType<typeof linearPattern>>();
function compiledPattern(source: string) {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  const compiled = linearPattern(source);
  // Patterns may come from a request's own text; those must not pile up.
  if (patterns.size >= 1_000) patterns.clear();
  patterns.set(source, compiled);
  return compiled;
}

/** Parses and checks a CEL expression; the sentence says what is wrong with it. */
export function compileExpression(source: string): CompiledExpression | string {
  try {
    return compile(source);
  } catch (error) {
    return firstLine(error);
  }
}

function compile(source: string): CompiledExpression | string {
  const program = environment.parse(source);
  const called = calledNames(program.ast);
  // It lets a text of 4 KiB build a list of 2^100 elements.
  if (called.has('bind')) return 'cel.bind is not offered here';
  const { valid, type, error } = program.check();
  if (!valid) return firstLine(error);
  if (type !== 'bool' && type !== 'dyn') return `must be true or false, and this is a ${String(type)}`;
  const bounded = [...loops].some((name) => called.has(name));
  return {
    holds(facts, fuel) {
      try {
        const variables = celVariables(facts);
        fuelInUse = fuel;
        // A fresh program: one that was stopped in the middle is not to be used again.
        return bounded
          ? withinTime(() => environment.parse(source)(variables) as unknown)
          : program(variables) === true;
      } catch {
        return false;
      }
    },
  };
}

const sandbox = createContext({ run: (): unknown => undefined });
const script = new Script('run()');

function withinTime(run: () => unknown): boolean {
  sandbox['run'] = run;
  return script.runInContext(sandbox, { timeout: maxLoopMs }) === true;
}

function calledNames(node: unknown, names = new Set<string>()): Set<string> {
  if (Array.isArray(node)) for (const part of node as readonly unknown[]) calledNames(part, names);
  else if (typeof node === 'object' && node !== null && 'op' in node && 'args' in node) {
    const { op, args } = node;
    if ((op === 'call' || op === 'rcall') && Array.isArray(args)) names.add(String(args[0]));
    calledNames(args, names);
  }
  return names;
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

function celVariables(facts: Facts): Record<string, unknown> {
  const room = { left: maxValues };
  return {
    metadata: celValue(facts.metadata(), room),
    data_accessed: celValue(facts.dataAccessed(), room),
    action_type: facts.action_type,
    agent: celValue(facts.agent ?? {}, room),
    time: celValue(facts.time, room),
  };
}

/** JSON's whole numbers become CEL's int, so that they can be counted with; CEL compares int and double as numbers. */
function celValue(value: unknown, room: { left: number }): unknown {
  if (--room.left < 0) throw new RangeError('too many values');
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((element) => celValue(element, room));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '__proto__')
      .map(([name, member]) => [name, celValue(member, room)]),
  );
}
