/** Names of the keys of a shared state. */
export interface SharedKeys {
  /** Start of the keys of records. */
  records: string
  record(name: string): string
  lock(name: string): string
  counter: string
  members: string
  descriptions: string
}

/** Keys below a prefix, with one hash tag: a script may only use keys of one server of a cluster. */
export function sharedKeys(prefix: string): SharedKeys {
  const start = `${prefix}{state}:`
  const records = `${start}record:`
  return {
    records,
    record: name => `${records}${name}`,
    lock: name => `${start}lock:${name}`,
    counter: `${start}counter`,
    members: `${start}members`,
    descriptions: `${start}descriptions`,
  }
}
