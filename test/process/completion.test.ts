// needs: bash-completion fish zsh
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { launcher } from './built.ts'
import { temporaryFolder } from './monohull.ts'

/** Scripts that load the completion as the guide says, and print what the shell makes of `monohull ev`. */
const shells: Record<string, { program: string; script: string }> = {
  bash: {
    program: '/usr/share/bash-completion/bash_completion',
    script: `source /usr/share/bash-completion/bash_completion
source <(monohull completion bash)
complete -p monohull
COMP_LINE='monohull ev' COMP_POINT=11 COMP_WORDS=(monohull ev) COMP_CWORD=1
__monohull_complete 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  fish: { program: '/usr/bin/fish', script: 'monohull completion fish | source; complete -C "monohull ev"' },
  zsh: {
    program: '/usr/bin/zsh',
    script: `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; autoload -Uz compinit; compinit -u -D; source <(monohull completion zsh); print REA''DY"
zpty -r z line '*READY*'
zpty -w -n z $'monohull ev\\t'
zpty -r z line '*monohull events*'
print -r -- "$line"`,
  },
}

describe('the completion', () => {
  for (const [shell, { program, script }] of Object.entries(shells)) {
    const skip = !process.env.CI && !existsSync(program) && `${shell} is not installed`
    it(`of ${shell} finds commands`, { skip }, async t => {
      const folder = temporaryFolder(t)
      const command = join(folder, 'monohull')
      writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${launcher} "$@"\n`)
      chmodSync(command, 0o755)
      const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'xterm' }
      const noFiles = shell === 'bash' ? ['--norc'] : shell === 'zsh' ? ['-f'] : []
      const { stdout } = await promisify(execFile)(shell, [...noFiles, '-c', script], { env, timeout: 20_000 })
      assert.match(stdout, /\bevents\b/)
    })
  }
})
