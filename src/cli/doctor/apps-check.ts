// Each app that runs: whether it would start again as it is, and whether it can be reached.

import type { AppFacts, InstanceFacts } from '../../control/checkup/facts.ts'
import { fine, problem, warning, type Finding, type HostFacts } from './finding.ts'

export function judgeApps({ instances }: HostFacts): readonly Finding[] {
  return instances.flatMap((instance) => instance.apps.flatMap((app) => judgeApp(app, instance)))
}

function judgeApp(app: AppFacts, { name: instance }: InstanceFacts): readonly Finding[] {
  const about = `app ${app.name}`
  const findings = [
    ...judgeHealth(about, app),
    ...judgePaths(about, app),
    ...judgeConfig(about, app, instance),
    ...judgeListeners(about, app),
  ]
  return findings.length > 0
    ? findings
    : [fine(about, `${app.state}; its config and its release are as they should be`)]
}

function judgeHealth(about: string, { state, reason, name }: AppFacts): readonly Finding[] {
  if (state !== 'degraded' && state !== 'failed') return []
  const says = `it is ${state}${reason === null ? '' : `: ${reason}`}`
  return [
    problem(about, says, { why: 'Fewer workers serve than should.', fix: `\`supervise crashes ${name}\` says why.` }),
  ]
}

function judgePaths(about: string, { missingPaths }: AppFacts): readonly Finding[] {
  return missingPaths.map((path) =>
    problem(about, `${path} is not there any more`, {
      why: 'What runs runs on, and a worker that dies cannot be started again.',
      fix: 'Put the release back, or deploy another: `supervise deploy`.',
    }),
  )
}

function judgeConfig(about: string, { configProblem, name }: AppFacts, instance: string): readonly Finding[] {
  if (configProblem === null) return []
  return [
    warning(about, `a reload would refuse its config: ${configProblem}`, {
      why: 'What runs runs on; `reload`, `deploy` and the start after a reboot fail.',
      fix: `Mend it; \`supervise diff ${name} --instance ${instance}\` says what a reload would do.`,
    }),
  ]
}

function judgeListeners(about: string, { unreachable, name }: AppFacts): readonly Finding[] {
  return unreachable.map((address) =>
    problem(about, `nobody accepts on ${address}`, {
      why: 'Its clients are refused.',
      fix: `See \`supervise describe ${name}\` and \`ss -ltnp\`; \`supervise reload ${name}\` opens it again.`,
    }),
  )
}
