/** Type that a text from the environment or the command line is read as. */
export type ScalarKind = 'number' | 'boolean' | 'list' | 'text'

/** Variables that Kubernetes adds for a Service called monohull. They are not settings. */
const kubernetesVariable = /^MONOHULL_(SERVICE_(HOST|PORT)|PORT)(_|$)/
const ownVariables = new Set(['MONOHULL_CONFIG', 'MONOHULL_IMAGE'])

/** Whether an environment variable sets a key. */
export function isSetting(variable: string): boolean {
  return variable.startsWith('MONOHULL_') && !ownVariables.has(variable) && !kubernetesVariable.test(variable)
}

/** Reads a text as one of the kinds of its key. A text that fits none stays a string, and the schema rejects it. */
export function readScalar(text: string, kinds: ReadonlySet<ScalarKind>): unknown {
  if (kinds.has('number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (kinds.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (kinds.has('list'))
    return text
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
  return text
}
