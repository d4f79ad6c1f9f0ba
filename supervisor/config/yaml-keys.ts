import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from 'yaml'

/** Deepest existing key node on the way to `path`. Follows aliases and merge keys. */
export function keyAt(document: Document, path: readonly string[]): Node | undefined {
  let node: unknown = document.contents
  let key: Node | undefined
  for (const part of path) {
    const collection = resolve(document, node)
    const found = isMap(collection) ? pairOf(document, collection, part) : undefined
    const item = isSeq(collection) ? collection.items[Number(part)] : undefined
    const next = found ? found.key : item
    if (!isNode(next)) break
    if (next.range) key = next
    node = found ? found.value : item
  }
  return key
}

/** Path of the key whose value, with its tag and anchor, contains an offset of the text. Every list index in it is 0. */
export function keysAround(document: Document, offset: number): string[] {
  let path: string[] = []
  visit(document, {
    Pair(_, pair, above) {
      const [, keyEnd = offset] = (isNode(pair.key) && pair.key.range) || []
      const [, , end = offset] = (isNode(pair.value) && pair.value.range) || []
      if (offset < keyEnd || offset > end) return visit.SKIP
      path = [...above, pair].flatMap(node => (isPair(node) ? String(node.key) : isSeq(node) ? '0' : []))
      return undefined
    },
  })
  return path
}

/** Pair of a key in the map itself or, failing that, in a map that it merges. */
function pairOf(document: Document, map: YAMLMap, name: string): Pair | undefined {
  const own = map.items.find(({ key }) => isScalar(key) && String(key.value) === name)
  if (own) return own
  for (const pair of map.items.filter(isMerge)) {
    for (const source of mergeSources(document, pair)) {
      const found = isMap(source) ? pairOf(document, source, name) : undefined
      if (found) return found
    }
  }
  return undefined
}

/** Whether a pair is a merge key, `<<: …` (https://yaml.org/type/merge.html). */
export function isMerge({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol'
}

/** Nodes that a merge key merges. */
export function mergeSources(document: Document, { value }: Pair): unknown[] {
  const source = resolve(document, value)
  return isSeq(source) ? source.items.map(item => resolve(document, item)) : [source]
}

function resolve(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node
}
