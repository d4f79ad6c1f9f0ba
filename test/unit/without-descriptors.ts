import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

const spares = 64

/** Does something while this process can open no file: the kernel itself refuses with EMFILE. */
export async function withoutDescriptors<T>(act: () => T | Promise<T>): Promise<T> {
  const [soft = ''] = limits()
  const held = Array.from({ length: spares }, () => openSync('/dev/null', 'r'))
  limitTo(String(Math.max(...held) + 1))
  try {
    fill(held)
    return await act()
  } finally {
    for (const descriptor of held) closeSync(descriptor)
    limitTo(soft)
  }
}

function fill(held: number[]): void {
  for (;;) {
    try {
      held.push(openSync('/dev/null', 'r'))
    } catch {
      return // none is left
    }
  }
}

function limits(): string[] {
  const args = ['--pid', String(process.pid), '--nofile', '--output=SOFT', '--noheadings']
  return execFileSync('prlimit', args, { encoding: 'utf8' }).trim().split(/\s+/)
}

function limitTo(soft: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`], { encoding: 'utf8' })
}
