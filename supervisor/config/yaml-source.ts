import { isMap, isNode, LineCounter, parseDocument, visit } from 'yaml'
import { messageOf } from '../base/errors.ts'
import { writtenScalar } from './intended-values.ts'
import type { Problem } from './report.ts'
import { isMerge, keyAt, keysAround, mergeSources } from './yaml-keys.ts'

/** The parsed configuration file. */
export interface YamlSource {
  value: Record<string, unknown>
  problems: Problem[]
  /** `monohull.yaml:7` for the key at `path`, or undefined if the file does not contain it. */
  lineOf: (path: readonly string[]) => string | undefined
}

/** What the parser needs to know of the keys. */
export interface YamlKeys {
  isSecretKey(path: readonly string[]): boolean
  /** The file's values with the types of their keys; see `intendedValue`. */
  intended(tree: unknown): unknown
}

/** Parses the configuration file. Syntax errors become problems with their line. */
export function parseYaml(file: { path: string; text: string }, { isSecretKey, intended }: YamlKeys): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false, merge: true })
  const at = (offset: number) => `${file.path}:${lines.linePos(offset).line}`
  const problem = (source: string, text: string, fix: string): Problem => ({
    key: '',
    source,
    value: undefined,
    problem: text,
    fix,
  })

  /** Problem without the parser's message, which would quote a part of the secret. */
  const unquoted = (offset: number) =>
    problem(at(offset), 'is not valid YAML: a value that needs quotes', 'put the value in quotes')

  const problems = [...document.errors, ...document.warnings].map(error =>
    error.code === 'MULTIPLE_DOCS'
      ? problem(
          at(error.pos[0]),
          'is not valid YAML: a second document begins here',
          'remove everything from the line with --- on',
        )
      : isSecretKey(keysAround(document, error.pos[0]))
        ? unquoted(error.pos[0])
        : problem(at(error.pos[0]), `is not valid YAML: ${error.message}`, 'fix the file at that line'),
  )
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return
      const offset = alias.range?.[0] ?? 0
      problems.push(
        isSecretKey(keysAround(document, offset))
          ? unquoted(offset)
          : problem(
              at(offset),
              `is not valid YAML: no anchor &${alias.source} above`,
              'set the anchor, or quote the *',
            ),
      )
    },
    Pair(_, pair) {
      // an undefined anchor is reported above
      if (!isMerge(pair) || mergeSources(document, pair).every(source => source === undefined || isMap(source))) return
      problems.push(
        problem(
          at((isNode(pair.key) && pair.key.range?.[0]) || 0),
          'is not valid YAML: << does not refer to keys and values',
          'refer to a mapping by its anchor: <<: *name',
        ),
      )
    },
  })
  if (problems.length > 0) return { value: {}, problems, lineOf: () => undefined }
  if (document.contents === null) return { value: {}, problems: [], lineOf: () => undefined }
  if (!isMap(document.contents)) {
    return {
      value: {},
      problems: [problem(`${file.path}:1`, 'does not contain keys and values', 'write lines such as "http_port: 80"')],
      lineOf: () => undefined,
    }
  }

  const lineOf = (path: readonly string[]): string | undefined => {
    const key = keyAt(document, path)
    return key?.range ? at(key.range[0]) : undefined
  }
  visit(document, {
    Scalar(role, scalar) {
      const { value, source } = scalar
      const isTyped = typeof value === 'number' || typeof value === 'boolean'
      if (role !== 'key' && isTyped && source !== undefined) scalar.value = writtenScalar(value, source)
    },
  })
  try {
    const tree = document.toJS() as Record<string, unknown>
    const own = Object.entries(tree).filter(([key]) => !key.startsWith('x-')) // extensions, which hold anchors
    return { value: withoutNulls(intended(Object.fromEntries(own)) as typeof tree), problems: [], lineOf }
  } catch (error) {
    const found = problem(`${file.path}:1`, `is not valid YAML: ${messageOf(error)}`, 'use fewer aliases')
    return { value: {}, problems: [found], lineOf: () => undefined }
  }
}

/** Sections whose keys are names chosen by the user. A name without a value still exists. */
const namedSections = new Set(['apps', 'processes', 'upstreams'])

/** Removes keys without a value, for example if all lines below a key are commented out. */
function withoutNulls(tree: Record<string, unknown>, section = ''): Record<string, unknown> {
  const entries = Object.entries(tree).flatMap(([key, value]): [string, unknown][] => {
    if (value === null) return namedSections.has(section) ? [[key, {}]] : []
    const isSection = typeof value === 'object' && !Array.isArray(value)
    return [[key, isSection ? withoutNulls(value as Record<string, unknown>, key) : value]]
  })
  return Object.fromEntries(entries)
}
