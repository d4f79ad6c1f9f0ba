/** Hashes that crypt(3) and nginx support: apr1, bcrypt, MD5, SHA-256, SHA-512, yescrypt; salted SHA-1. */
const hashed = /^(\$(apr1|2[aby]|1|5|6|y|gy)\$.+|\{SSHA\}.+)$/
/** Start of a name. nginx would treat leading blanks, or the byte order mark that some editors add to a file, as part of it. */
const name = /^[^\s\uFEFF]/

/** Problem with an htpasswd file, without any of its contents; undefined if it is valid. */
export function findBadPassword(text: string): string | undefined {
  const lines = text.split('\n').map((line, index) => ({ line: line.replace(/\r$/, ''), number: index + 1 }))
  const entries = lines
    .filter(({ line }) => line.trim() !== '' && !line.startsWith('#'))
    .map(({ line, number }) => ({ number, name: line.split(':')[0] ?? '', password: line.split(':')[1] ?? '' }))
  if (entries.length === 0) return 'contains no users'
  const bad = entries.find(entry => !name.test(entry.name) || !hashed.test(entry.password.trimEnd()))
  if (bad) return `has no name with a securely hashed password in line ${bad.number}`
  for (const [index, entry] of entries.entries()) {
    const first = entries.findIndex(other => other.name === entry.name)
    if (first < index) return `repeats the name of line ${entries[first]?.number} in line ${entry.number}`
  }
  return undefined
}
