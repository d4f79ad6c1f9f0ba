import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const home = join(import.meta.dirname, '..')

/** A block of code, or code within a line. */
export interface Code {
  /** `docs/guide/front.md:12` */
  at: string
  /** What is written behind the fence; none for code within a line. */
  language: string | undefined
  text: string
}

export interface Page {
  /** Path in the repository. */
  path: string
  /** Without its blocks of code. */
  prose: string
  code: Code[]
}

/** The pages for users: the README, the guides, and those of the examples and other folders. */
export function pagesForUsers(): Page[] {
  const below = ['docs/guide', 'examples', 'deploy', 'app', 'bench', 'certs'].flatMap(folder =>
    readdirSync(join(home, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md') && !name.includes('node_modules'))
      .map(name => `${folder}/${name}`),
  )
  return ['README.md', 'SECURITY.md', ...below].map(path => readPage(path, readFileSync(join(home, path), 'utf8')))
}

function readPage(path: string, text: string): Page {
  const code: Code[] = []
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length
  // as many lines as before, for lineOf
  const prose = text.replace(/^( *)```(.*)\n([\s\S]*?)^ *```$/gm, (block, indent, language, inner, offset) => {
    const unindented = inner.replace(new RegExp(`^${indent}`, 'gm'), '')
    code.push({ at: `${path}:${lineOf(offset)}`, language, text: unindented })
    return '\n'.repeat(block.split('\n').length - 1)
  })
  for (const { index, 1: span = '' } of prose.matchAll(/`([^`\n]+)`/g)) {
    const at = `${path}:${prose.slice(0, index).split('\n').length}`
    code.push({ at, language: undefined, text: span.replaceAll('\\|', '|') })
  }
  return { path, prose, code }
}
