import type * as z from 'zod'
import { nearest } from '../base/nearest.ts'
import { secretMask } from '../base/secret.ts'
import { intendedValue } from './intended-values.ts'
import { explainIssue, unfold } from './issues.ts'
import { keyNames, scalarKeysOf } from './keys.ts'
import { type Assigned, type ConfigSources, getPath, isRecord, mergeSources } from './merge.ts'
import type { Problem } from './report.ts'
import { containsSecrets, isSecretKey } from './secrets.ts'

/** The configuration, or all its problems. */
export type LoadResult<Config> = { ok: true; config: Config } | { ok: false; problems: Problem[] }

/** Merges the sources and validates the result. Returns all problems at once, each with its key, source, value and fix. */
export function loadBySchema<Schema extends z.ZodType>(
  schema: Schema,
  sources: ConfigSources,
): LoadResult<z.output<Schema>> {
  const { tree, assigned, problems, yaml } = mergeSources(schema, sources)
  const parsed = schema.safeParse(intendedValue(schema, tree))
  if (parsed.success && problems.length === 0) return { ok: true, config: parsed.data }
  for (const issue of (parsed.error?.issues ?? []).flatMap(issue => unfold(issue, schema))) {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      problems.push(...issue.keys.map(name => unknownKey(schema, [...path, name], yaml.lineOf)))
      continue
    }
    const key = path.join('.')
    const set = findAssigned(assigned, key)
    // the file overrides the defaults of the installation and the platform
    const found = set?.isDefault && yaml.lineOf(path) !== undefined ? undefined : set
    problems.push({
      key,
      source: found?.source ?? yaml.lineOf(path) ?? 'default',
      value:
        issue.code === 'invalid_key'
          ? path.at(-1)
          : hidden(schema, getPath(tree, path), { path, isHidden: found?.isSecret || isSecretKey(schema, path) }),
      ...explainIssue(issue, path, { schema, lineOf: yaml.lineOf }),
    })
  }
  return { ok: false, problems }
}

/** The value to print. A secret that is not set has none either. */
function hidden(
  schema: z.ZodType,
  value: unknown,
  { path, isHidden }: { path: readonly string[]; isHidden: boolean },
): unknown {
  return isHidden && value !== undefined ? secretMask : printable(schema, value, path)
}

/** Assignment of a key, of the list that contains it, or of a key below it. */
function findAssigned(assigned: ReadonlyMap<string, Assigned>, key: string): Assigned | undefined {
  const above = assigned.get(key) ?? assigned.get(key.split('.').slice(0, -1).join('.'))
  return above ?? [...assigned].find(([other]) => other.startsWith(`${key}.`))?.[1]
}

function unknownKey(schema: z.ZodType, path: string[], lineOf: (path: string[]) => string | undefined): Problem {
  const siblings = keyNames(schema, path.slice(0, -1))
  const name = path.at(-1) ?? ''
  const sibling = nearest(name, siblings)
  const guess = sibling === undefined ? keyElsewhere(schema, path) : [...path.slice(0, -1), sibling].join('.')
  return {
    key: path.join('.'),
    source: lineOf(path) ?? 'the configuration',
    value: undefined,
    problem: 'is not a known key',
    fix: guess ? `did you mean ${guess}?` : `known here: ${siblings.join(', ')}`,
  }
}

/** Key of another section with this name: `app.workers` for `workers`. None if the key is in a section, and several others have the name. */
function keyElsewhere(schema: z.ZodType, path: readonly string[]): string | undefined {
  const name = path.at(-1) ?? ''
  const all = scalarKeysOf(schema).map(({ key, path }) => ({ key, last: path.at(-1) ?? '' }))
  const last = nearest(
    name,
    all.map(one => one.last),
  )
  const [first, ...others] = all.filter(one => one.last === last)
  return path.length > 1 && others.length > 0 ? undefined : first?.key
}

/** The value if it can be printed. A whole section is too long, and a malformed one may contain secrets. */
function printable(schema: z.ZodType, value: unknown, path: readonly string[]): unknown {
  const isSection = isRecord(value) && Object.values(value).some(isRecord)
  return isSection || (typeof value === 'object' && containsSecrets(schema, path)) ? undefined : value
}
