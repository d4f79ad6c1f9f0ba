/** One step on the way to a directory: a directory, or a symbolic link that leads on. */
export interface PathStep {
  path: string
  isLink: boolean
  uid: number
  mode: number
  /** Whether a file system is mounted there: the operator's choice, which no other user could make. */
  isMount: boolean
}

/** Facts about a directory that only monohull may change. */
export interface DirectoryFacts {
  /** Existing steps in the order in which the system resolves them, from `/` on. */
  steps: readonly PathStep[]
  /** Whether the last step is the directory itself; otherwise it is yet to be created. */
  exists: boolean
  /** Entries of the directory whose owner matters. */
  entries: readonly { path: string; uid: number }[]
  /** User that monohull runs as. */
  user: number
}

/** Reason not to use a directory. */
export interface Distrust {
  reason: string
  /** Action that keeps the directory; undefined if only another directory helps. */
  fix: string | undefined
}

const everyone = 0o002
const sticky = 0o1000

/**
 * Reason why another user could control the contents of a directory; undefined if none could. Below a directory that everyone may write
 * to, every step must belong to monohull's user or root: anyone could have created it first. A volume may belong to anyone.
 */
export function findDistrust({ steps, exists, entries, user }: DirectoryFacts): Distrust | undefined {
  const isForeign = ({ uid }: { uid: number }) => uid !== user && uid !== 0
  let isShared = false
  for (const [index, step] of steps.entries()) {
    const isItself = exists && index === steps.length - 1
    if (isForeign(step) && (isShared || (isItself && !step.isMount))) return foreign(step)
    if (step.isLink || (step.mode & everyone) === 0) continue
    const isReplaceable = isItself || (step.mode & sticky) === 0
    if (isReplaceable && !step.isMount)
      return {
        reason: `every user may ${isItself ? 'write to it' : `rename what ${step.path} contains`}`,
        fix: `chmod ${isItself ? 'o-w' : '+t'} ${step.path}`,
      }
    isShared = true
  }
  const entry = entries.find(isForeign)
  return entry && foreign(entry)
}

function foreign({ path, uid }: { path: string; uid: number }): Distrust {
  return { reason: `${path} belongs to another user (uid ${uid})`, fix: undefined }
}
