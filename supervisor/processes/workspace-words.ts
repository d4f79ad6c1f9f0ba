const npmOption = /^(-w|--workspace|-C|--prefix)(=|$)|^(-ws|--workspaces)$/
const pnpmOption = /^(--filter|-F|-C|--dir)(=|$)|^(-r|--recursive|-w|--workspace-root)$/
const yarnOption = /^--cwd(=|$)/

/** Whether a command of a package manager concerns another directory than the one it runs in: a package of the workspace. */
export function namesWorkspace(manager: string, words: readonly string[]): boolean {
  const end = words.indexOf('--')
  const own = end < 0 ? words : words.slice(0, end)
  // what follows the script belongs to it, except for npm
  const first = own.findIndex(word => !word.startsWith('-'))
  const before = first < 0 ? own : own.slice(0, first)
  if (manager === 'npm') return own.some(word => npmOption.test(word))
  if (manager === 'pnpm') return before.some(word => pnpmOption.test(word))
  return own[0] === 'workspace' || own[0] === 'workspaces' || before.some(word => yarnOption.test(word))
}
