/** What crypt(3) and nginx itself know: apr1, bcrypt, MD5, SHA-256, SHA-512, yescrypt; salted SHA-1. */
const hashed = /^(\$(apr1|2[aby]|1|5|6|y|gy)\$.+|\{SSHA\}.+)$/

/** What is wrong with an htpasswd file, without a word of what is in it; undefined when nothing is. */
export function findBadPassword(text: string): string | undefined {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }))
  const entries = lines.filter(({ line }) => line !== '' && !line.startsWith('#'))
  if (entries.length === 0) return 'names nobody'
  const bad = entries.find(({ line }) => !hashed.test(line.split(':')[1] ?? ''))
  return bad && `has no name and safely hashed password in line ${bad.number}`
}
