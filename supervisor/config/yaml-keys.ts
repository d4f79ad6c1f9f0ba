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

/** The deepest node on the way to the key at `path` that the document holds, wherever an alias or a merge key takes it from. */
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

/** The path of the key whose value holds an offset of the text, its tag and anchor too; in a list the position counts for nothing, and is 0. */
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

/** The pair of a key, in the map itself or else in one that it merges. */
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

/** Whether it is `<<: …`, which stands for the keys of other maps; see https://yaml.org/type/merge.html. */
export function isMerge({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol'
}

/** What a merge key takes its keys from. */
export function mergeSources(document: Document, { value }: Pair): unknown[] {
  const source = resolve(document, value)
  return isSeq(source) ? source.items.map(item => resolve(document, item)) : [source]
}

function resolve(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node
}
