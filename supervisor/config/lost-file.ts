import type { Problem } from './report.ts'

/** Configuration file as it was read. */
export interface ConfigFile {
  path: string
  text: string
  /** Whether it is replaced as a whole, so that it cannot be cut off. */
  isWhole: boolean
}

/**
 * Problem of a file that has lost what it contained when it was last read: it is gone, has no keys, or ends early. Read as it is, it
 * would remove what protects the site. Undefined if there is no loss.
 */
export function findLoss(former: ConfigFile | undefined, now: ConfigFile | undefined): Problem | undefined {
  if (!former || !hasKeys(former.text)) return undefined
  if (!now) return lossOf(former.path, 'is gone, but the configuration in use came from it')
  if (!hasKeys(now.text)) return lossOf(now.path, 'contains no keys any more')
  if (now.isWhole) return undefined
  const isBeginning = former.text.length > now.text.length && former.text.startsWith(now.text)
  if (!isBeginning || !hasKeys(former.text.slice(now.text.length))) return undefined
  const line = now.text.trimEnd().split('\n').length
  return lossOf(now.path, `is the same as before, but ends after line ${line}: it looks cut off`)
}

function lossOf(path: string, problem: string): Problem {
  const fix = 'restore the file; if this is intended, run monohull reload --allow-missing'
  return { key: '', source: path, value: undefined, problem, fix }
}

/** Whether a text in YAML contains more than comments, markers and an empty document. */
function hasKeys(text: string): boolean {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map(line => line.replace(/^\s*#.*$/, '').trim())
    .some(line => line !== '' && !/^(---|\.\.\.|%.*|~|null|\{\s*\})(\s+#.*)?$/i.test(line))
}
