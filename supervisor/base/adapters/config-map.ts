import { lstatSync, readlinkSync } from 'node:fs'

/** Link that Kubernetes replaces to change all files of a ConfigMap or Secret at once. */
export const linkOfContents = '..data'

/** Whether a file is one of a mounted ConfigMap or Secret, whose files change as a whole. */
export function isInConfigMap(path: string): boolean {
  return lstatSync(path).isSymbolicLink() && readlinkSync(path).startsWith(`${linkOfContents}/`)
}
