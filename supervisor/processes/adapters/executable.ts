import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { findProgram } from './project.ts'

/** Reason why the system could not execute a file, with the fix. */
export interface ExecutableProblem {
  problem: string
  fix: string
}

/** Where programs are searched. */
export interface SearchContext {
  directory: string
  path: string
}

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh'])
/** Longest first line that the kernel reads (binfmt_script). */
const maxFirstLine = 256
/** Numbers of the CPUs in ELF headers (elf(5)). */
const machines: Record<string, number> = { x64: 62, arm64: 183 }

/** Problem of a program that exists but cannot be executed: its interpreter is missing, or its lines end as on Windows. */
export function describeExecutableProblem(file: string, context: SearchContext): ExecutableProblem | undefined {
  const head = readHead(file)
  if (head.readUInt32BE(0) === 0x7f454c46) return describeBinaryProblem(file, head)
  const [line = ''] = head.toString('latin1').split('\n')
  if (line.startsWith('\xef\xbb\xbf#!'))
    return { problem: 'begins with a byte order mark, which hides its #! line', fix: `sed -i '1s/^...//' ${file}` }
  if (!line.startsWith('#!')) return undefined
  if (line.endsWith('\r')) return windowsLines(file)
  const interpreter = interpreterOf(line.slice(2).trim())
  if (findProgram(interpreter, context.directory, context.path).kind === 'found') return undefined
  return {
    problem: `is a script for ${interpreter}, which was not found`,
    fix: `install ${interpreter} in the image, or correct the first line of ${file}`,
  }
}

/** Problem of a script that a shell is to read: a carriage return would be part of each command. */
export function describeScriptProblem(
  [program = '', script = '']: readonly string[],
  context: SearchContext,
): ExecutableProblem | undefined {
  if (!shells.has(basename(program)) || script.startsWith('-') || script === '') return undefined
  const search = findProgram(script.includes('/') ? script : `./${script}`, context.directory, context.path)
  if (search.kind === 'not found') return undefined
  const [line = ''] = readHead(search.path).toString('latin1').split('\n')
  return line.endsWith('\r') ? windowsLines(script) : undefined
}

function windowsLines(file: string): ExecutableProblem {
  return {
    problem: 'has Windows line endings (CRLF), which are not valid in a script',
    fix: `convert it: sed -i 's/\\r$//' ${file}; in git, add "*.sh text eol=lf" to .gitattributes`,
  }
}

/** Program that a #! line runs; for `/usr/bin/env NAME`, the named one. */
function interpreterOf(line: string): string {
  const [program = '', ...words] = line.split(/\s+/)
  if (basename(program) !== 'env') return program
  return words.find(word => !word.startsWith('-') && !word.includes('=')) ?? program
}

/** Problem of an ELF file: it is for another CPU, or its loader is missing, such as musl's in an image with glibc. */
function describeBinaryProblem(file: string, head: Buffer): ExecutableProblem | undefined {
  const is64BitLittle = head[4] === 2 && head[5] === 1
  if (!is64BitLittle) return undefined
  const machine = machines[process.arch]
  if (machine !== undefined && head.readUInt16LE(18) !== machine)
    return { problem: 'is a program for another CPU', fix: `build it for ${process.arch}` }
  const loader = loaderOf(file, head)
  if (loader === undefined || findProgram(loader, '/', '').kind !== 'not found') return undefined
  return {
    problem: `needs ${loader}, which this system does not have`,
    fix: 'build it for this image, or link it statically',
  }
}

/** Path in the PT_INTERP segment. */
function loaderOf(file: string, head: Buffer): string | undefined {
  const [offset, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)]
  for (let index = 0; index < count; index++) {
    const entry = readAt(file, offset + index * size, 56)
    if (entry.readUInt32LE(0) !== 3) continue
    const length = Number(entry.readBigUInt64LE(32))
    return readAt(file, Number(entry.readBigUInt64LE(8)), Math.min(length, 4096))
      .toString('latin1')
      .replace(/\0.*$/s, '')
  }
  return undefined
}

function readHead(file: string): Buffer {
  return readAt(file, 0, maxFirstLine)
}

/** Bytes of a file, filled up with zeros. */
function readAt(file: string, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, bytes, 0, length, position)
  } finally {
    closeSync(descriptor)
  }
  return bytes
}
