import type { Command } from 'commander'
import type { World } from '../../base/world.ts'
import type { OutputFormat } from '../json.ts'
import type { CommandLine } from '../load.ts'

/** Arguments and options after the name of a command. */
export interface ParsedArguments {
  words: string[]
  options: Record<string, string | undefined>
  /** Whether `format` is JSON. */
  isJson: boolean
  format: OutputFormat
}

/** Runs a command; settles with its exit code. */
export type Act = (commandLine: CommandLine, given: ParsedArguments) => Promise<number>

/** Way to add commands to the program. */
export interface CommandContext {
  world: World
  /** Adds a command that accepts an app and the flags of every key. */
  addStart(name: string, summary: string, act: Act): Command
  /** Adds a command for the running instance, with flags that select it and `--json`. */
  addControl(name: string, summary: string, act: Act): Command
  /** Heading in the help for the commands that are added from now on. */
  group(heading: string): void
}
