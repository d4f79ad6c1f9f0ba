import * as z from 'zod'
import { formsBelow, formsOf } from './forms.ts'

type Schema = z.core.$ZodType

const writtenAs = Symbol('written as')

/** Number or boolean of a YAML file, with its text in the file. */
export interface WrittenScalar {
  readonly value: unknown
  readonly [writtenAs]: string
}

/** Scalar that keeps its text until the type of its key is known. */
export function writtenScalar(value: unknown, text: string): WrittenScalar {
  return { value, [writtenAs]: text }
}

function isWritten(value: unknown): value is WrittenScalar {
  return typeof value === 'object' && value !== null && writtenAs in value
}

const onWords = new Set(['on', 'yes', 'true'])
const offWords = new Set(['off', 'no', 'false'])
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
/** `NAME=value` of a list, as in Docker's `--env`. */
const assignment = /^([^\s=]+)(?:=(.*))?$/s

/**
 * Values with the types of their keys. Where a key expects text, a number or boolean of YAML is the text of the file: `1.10`
 * stays `1.10`. Where it expects a number or a switch, a text such as `"4"`, `yes` or `off` is one. A list of `NAME=value` is a
 * section. Anything else is unchanged, for the schema to reject.
 */
export function intendedValue(schema: Schema, value: unknown): unknown {
  return intendedIn(formsOf(schema), value)
}

function intendedIn(forms: readonly Schema[], value: unknown): unknown {
  if (isWritten(value)) return intendedScalar(acceptedBy(forms), value.value, value[writtenAs])
  if (Array.isArray(value)) {
    const pairs = isTextByName(forms) ? assignmentsOf(value, isEnvironment(forms)) : undefined
    return pairs ?? value.map((item, index) => intendedIn(formsBelow(forms, `${index}`), item))
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => [key, intendedIn(formsBelow(forms, key), inner)])
    return Object.fromEntries(entries)
  }
  const isScalar = typeof value === 'string' || typeof value === 'boolean'
  return isScalar ? intendedScalar(acceptedBy(forms), value, `${value}`) : value
}

interface Accepted {
  types: ReadonlySet<string>
  /** Fixed words, such as `auto`. */
  words: ReadonlySet<unknown>
}

function acceptedBy(forms: readonly Schema[]): Accepted {
  const words = forms.flatMap(form => {
    if (form instanceof z.ZodEnum) return form.options
    return form instanceof z.ZodLiteral ? [...form.values] : []
  })
  return { types: new Set(forms.map(form => form._zod.def.type)), words: new Set<unknown>(words) }
}

function intendedScalar({ types, words }: Accepted, value: unknown, text: string): unknown {
  if (types.has(typeof value) || words.has(value)) return value
  if (words.has(text) || types.has('string')) return text
  if (types.has('number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  const isOn = onWords.has(text.toLowerCase())
  if (!isOn && !offWords.has(text.toLowerCase())) return value
  if (types.has('boolean')) return isOn
  return words.has(isOn ? 'on' : 'off') ? (isOn ? 'on' : 'off') : value
}

/** Whether a section of texts is expected, and no list. */
function isTextByName(forms: readonly Schema[]): boolean {
  if (forms.some(form => form instanceof z.ZodArray)) return false
  return forms.some(form => form instanceof z.ZodRecord && acceptedBy(formsOf(form.def.valueType)).types.has('string'))
}

/** Whether these are variables: only their values may come from files. */
function isEnvironment(forms: readonly Schema[]): boolean {
  return forms.some(form => form instanceof z.ZodRecord && acceptedBy(formsOf(form.def.valueType)).types.has('object'))
}

/** Section of the names and values in a list; undefined if it contains anything else. The name of a variable alone leaves the container's. */
function assignmentsOf(list: readonly unknown[], isOfVariables: boolean): Record<string, string> | undefined {
  const pairs: [string, string][] = []
  for (const item of list) {
    const [, name = '', value] = assignment.exec(isWritten(item) ? item[writtenAs] : `${item}`) ?? []
    if (value !== undefined) pairs.push([name, value])
    else if (!isOfVariables || !variableName.test(name)) return undefined
  }
  return Object.fromEntries(pairs)
}
