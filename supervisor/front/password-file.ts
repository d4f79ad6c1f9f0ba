/** What crypt(3) and nginx itself know: apr1, bcrypt, MD5, SHA-256, SHA-512, yescrypt; salted SHA-1. */
const hashed = /^(\$(apr1|2[aby]|1|5|6|y|gy)\$.+|\{SSHA\}.+)$/
/** What nginx would take for a part of it: blanks, and a mark of byte order, with which some editors begin a file. */
const name = /^[^\s\uFEFF]/

/** What is wrong with an htpasswd file, without a word of what is in it; undefined when nothing is. */
export function findBadPassword(text: string): string | undefined {
  const lines = text.split('\n').map((line, index) => ({ line: line.replace(/\r$/, ''), number: index + 1 }))
  const entries = lines
    .filter(({ line }) => line.trim() !== '' && !line.startsWith('#'))
    .map(({ line, number }) => ({ number, name: line.split(':')[0] ?? '', password: line.split(':')[1] ?? '' }))
  if (entries.length === 0) return 'names nobody'
  const bad = entries.find(entry => !name.test(entry.name) || !hashed.test(entry.password.trimEnd()))
  if (bad) return `has no name and safely hashed password in line ${bad.number}`
  for (const [index, entry] of entries.entries()) {
    const first = entries.findIndex(other => other.name === entry.name)
    if (first < index) return `has the name of line ${entries[first]?.number} in line ${entry.number} again`
  }
  return undefined
}
