/** One directive of an nginx configuration, as the rules read it. */
export interface Directive {
  name: string
  args: string[]
  /** What is in its braces; undefined: it has none, or they hold Lua. */
  block?: Directive[]
}

const token =
  /\s*(#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:\\.|\$\{|[^\s{};"'\\])(?:\\.|\$\{\w+\}|[^\s{};\\])*)/gy

/** Reads a configuration; `fileOf` gives the text of an included file, or undefined for one that is not of interest. The directive that includes stays, in front of what it brings in. */
export function readDirectives(text: string, fileOf: (name: string) => string | undefined): Directive[] {
  const words = [...text.trimEnd().matchAll(token)].map(([, word = '']) => word).filter(word => !word.startsWith('#'))
  let at = 0
  /** To the brace that ends the one at hand. */
  function skipBlock(): void {
    let depth = 1
    while (depth > 0 && at < words.length) {
      at++
      if (words[at] === '{') depth++
      if (words[at] === '}') depth--
    }
  }

  function readBlock(): Directive[] {
    const found: Directive[] = []
    let line: string[] = []
    for (; at < words.length; at++) {
      const word = words[at] ?? ''
      if (word === '}') break
      if (word !== ';' && word !== '{') {
        line.push(unquote(word))
        continue
      }
      const [name = '', ...args] = line
      line = []
      const included = name === 'include' ? fileOf(args[0] ?? '') : undefined
      if (included !== undefined) found.push({ name, args }, ...readDirectives(included, fileOf))
      else if (word === ';') found.push({ name, args })
      else if (name.endsWith('_by_lua_block')) {
        skipBlock()
        found.push({ name, args })
      } else {
        at++
        found.push({ name, args, block: readBlock() })
      }
    }
    return found
  }
  return readBlock()
}

function unquote(word: string): string {
  return /^["']/.test(word) ? word.slice(1, -1).replace(/\\(["'\\])/g, '$1') : word
}
