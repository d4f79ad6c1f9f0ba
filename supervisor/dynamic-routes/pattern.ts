/** Whether a name matches a pattern in which `*` stands for any text, also none or several labels. */
export function matchesPattern(name: string, pattern: string): boolean {
  let rest = name
  const [first = '', ...others] = pattern.toLowerCase().split('*')
  if (!rest.startsWith(first)) return false
  rest = rest.slice(first.length)
  const last = others.pop()
  if (last === undefined) return rest === ''
  for (const part of others) {
    const index = rest.indexOf(part)
    if (index === -1) return false
    rest = rest.slice(index + part.length)
  }
  return rest.endsWith(last)
}
