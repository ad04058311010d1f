import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { Facts } from './facts.js';
import type { Fuel } from './fuel.js';
import { type CelNode, type Evaluator, guardExpression } from './guard-expression.js';
import { linearPattern } from './linear-pattern.js';
import { outOfFuel, pay, typeMismatch } from './strict-equality.js';

export interface CompiledExpression {
  /** True only when the expression is true: an error, a missing field or a spent bound is false. */
  holds(facts: Facts, fuel: Fuel): boolean;
}

/** Making a value of JSON one of CEL's, in steps. */
const valueCost = 10;

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
  // The library's own `matches` is JavaScript's and can be made to run without end. It cannot be replaced, but a macro of the
  // same name is expanded first, for any receiver.
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

/** The pattern is a literal of the policy, so that it is compiled with the policy and never comes from a request. */
function matchesMacro({ receiver, args }: MatchesMacro) {
  const [pattern] = args;
  const compiled = pattern.op === 'value' ? linearPattern(String(pattern.args)) : 'must be written out';
  return {
    receiver,
    args,
    typeCheck(checker: Checker, _macro: unknown, ctx: unknown) {
      for (const node of [receiver, pattern])
        if (!['string', 'dyn'].includes(checker.check(node, ctx).name))
          throw checker.createError('no_matching_overload', 'matches is for strings', node);
      if (typeof compiled === 'string')
        throw checker.createError('invalid_pattern', `the pattern of matches: ${compiled}`, pattern);
      return checker.getType('bool');
    },
    evaluate(evaluator: Evaluator, _macro: unknown, ctx: unknown) {
      const text = evaluator.run(receiver as unknown as CelNode, ctx);
      if (typeof text !== 'string' || typeof compiled === 'string') throw typeMismatch;
      const found = compiled.found(text, fuelInUse);
      // Not false, because `!x.matches(…)` must fail as well.
      if (fuelInUse.left < 0) throw outOfFuel;
      return found;
    },
  };
}

/** Parses and checks a CEL expression; a fault is a sentence. */
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
  // With `cel.bind` a text of 4 KiB can build a list of 2^100 elements.
  if (called.has('bind')) return 'cel.bind is not offered here';
  const { valid, type, error } = program.check();
  if (!valid) return firstLine(error);
  if (type !== 'bool' && type !== 'dyn') return `must be true or false, and this is a ${String(type)}`;
  guardExpression(program.ast as unknown as CelNode, () => fuelInUse);
  return {
    holds(facts, fuel) {
      try {
        fuelInUse = fuel;
        const result: unknown = program(celVariables(facts, fuel));
        return result === true && fuel.left >= 0;
      } catch {
        return false;
      }
    },
  };
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

function celVariables(facts: Facts, fuel: Fuel): Record<string, unknown> {
  return {
    metadata: celValue(facts.metadata(fuel), fuel),
    data_accessed: celValue(facts.dataAccessed(fuel), fuel),
    action_type: facts.action_type,
    agent: celValue(facts.agent ?? {}, fuel),
    time: celValue(facts.time, fuel),
  };
}

/** JSON's whole numbers become CEL's int, for integer arithmetic; CEL compares int and double as numbers. */
function celValue(value: unknown, fuel: Fuel): unknown {
  pay(fuel, valueCost);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((element) => celValue(element, fuel));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '__proto__')
      .map(([name, member]) => [name, celValue(member, fuel)]),
  );
}
