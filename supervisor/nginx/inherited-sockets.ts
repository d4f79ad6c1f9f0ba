/** Value of nginx's NGINX variable: the inherited descriptors, which start at 3 in the child. */
export function inheritedSockets(descriptors: readonly number[]): string {
  return descriptors.map((_, index) => `${index + 3};`).join('')
}
