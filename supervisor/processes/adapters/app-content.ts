import { resolve } from 'node:path'
import { messageOf, OperatorError } from '../../base/errors.ts'
import type { Complain } from '../../config/report.ts'
import { type AppContent, chooseContent } from '../app-command.ts'
import type { ProgramContext } from './program-context.ts'
import { openProject } from './project.ts'

/** What a command, or a folder without one, comes to; undefined when it comes to nothing. */
export function findContent(
  key: string,
  command: readonly string[] | undefined,
  { context, complain }: { context: ProgramContext; complain: Complain },
): AppContent | undefined {
  try {
    const result = chooseContent(command, openProject(context.directory, context.path))
    if (!result.ok) complain(`${key}.command`, command, result.problem, result.fix)
    else if (result.content.kind !== 'files') return result.content
    else return { ...result.content, root: resolve(context.directory, result.content.root) }
  } catch (error) {
    const fix = error instanceof OperatorError ? error.fix : 'mend the app folder'
    complain(`${key}.command`, undefined, messageOf(error), fix)
  }
  return undefined
}
