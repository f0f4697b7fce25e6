// The table of the control API: which method and path is which operation. What is asked for is decided here; how the
// answer travels is not.

import { badRequest, methodNotAllowed, unknownRoute } from '../errors/control.ts'
import type { Feed, OperationContext, SupervisorOperations } from '../supervisor/operations.ts'
import { readChaos, readChaosQuery } from './chaos-values.ts'
import { API, type OperationResult } from './messages.ts'
import {
  allowNoQuery,
  readAppQuery,
  readDeploy,
  readEventQuery,
  readMetricsQuery,
  readLogQuery,
  readNothing,
  readReopenLogs,
  readReload,
  readRestart,
  readRollback,
  readScale,
  readSignal,
  readStart,
  readStop,
  readUpgrade,
  type Fields,
} from './request-values.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

export type Answer =
  | { readonly as: 'document'; readonly body: object }
  | { readonly as: 'text'; readonly contentType: string; readonly text: string }
  | { readonly as: 'feed'; readonly feed: Feed<object>; readonly follow: boolean }
  /** One that is answered by a document, whoever asked for it. */
  | { readonly as: 'call'; readonly run: (context: OperationContext) => Promise<object> }
  | {
      readonly as: 'operation'
      readonly run: (context: OperationContext) => Promise<OperationResult | readonly OperationResult[]>
    }

export interface Question {
  /** The app in the path; empty where the pattern has none. */
  readonly app: string
  readonly query: URLSearchParams
  readonly body: Fields
}

export interface Route {
  readonly method: Method
  /** `:app` or `:id` stands for one part of the path, URI-encoded. */
  readonly pattern: string
  readonly answer: (supervisor: SupervisorOperations, question: Question) => Answer | Promise<Answer>
}

const document = (body: object): Answer => ({ as: 'document', body })

type Run = Extract<Answer, { as: 'operation' }>['run']

/** An operation takes its values from the body alone; they are read before it begins. */
function operation(plan: (supervisor: SupervisorOperations, question: Question) => Run): Route['answer'] {
  return (supervisor, question) => {
    allowNoQuery(question.query)
    return { as: 'operation', run: plan(supervisor, question) }
  }
}

function look(see: (supervisor: SupervisorOperations, app: string) => object | Promise<object>): Route['answer'] {
  return async (supervisor, { app, query }) => {
    allowNoQuery(query)
    return document(await see(supervisor, app))
  }
}

export const ROUTES: readonly Route[] = [
  { method: 'GET', pattern: `${API}/ping`, answer: look((supervisor) => supervisor.ping()) },
  { method: 'GET', pattern: `${API}/status`, answer: look((supervisor) => supervisor.status()) },
  { method: 'GET', pattern: `${API}/apps/:app`, answer: look((supervisor, app) => supervisor.describe(app)) },
  { method: 'GET', pattern: `${API}/apps/:app/diff`, answer: look((supervisor, app) => supervisor.diff(app)) },
  { method: 'GET', pattern: `${API}/apps/:app/samples`, answer: look((supervisor, app) => supervisor.samplesOf(app)) },
  {
    method: 'GET',
    pattern: `${API}/metrics`,
    answer: async ({ metrics }, { query }) => {
      const { format, app } = readMetricsQuery(query)
      return format === 'json'
        ? document({ metrics: await metrics.families(app) })
        : { as: 'text', ...(await metrics.expose(app)) }
    },
  },
  { method: 'GET', pattern: `${API}/health`, answer: look((supervisor) => supervisor.metrics.health()) },
  {
    method: 'GET',
    pattern: `${API}/logs`,
    answer: (supervisor, { query }) => {
      const { follow, ...wanted } = readLogQuery(query)
      return { as: 'feed', feed: supervisor.logs(wanted), follow }
    },
  },
  {
    method: 'POST',
    pattern: `${API}/logs/reopen`,
    answer: async (supervisor, { query, body }) => {
      allowNoQuery(query)
      const { app = null } = readReopenLogs(body)
      return document({ reopened: await supervisor.reopenLogs(app) })
    },
  },
  {
    method: 'GET',
    pattern: `${API}/events`,
    answer: async (supervisor, { query }) => {
      const { follow, ...wanted } = readEventQuery(query)
      return { as: 'feed', feed: await supervisor.events(wanted), follow }
    },
  },
  {
    method: 'GET',
    pattern: `${API}/crashes`,
    answer: (supervisor, { query }) => document(supervisor.crashes(readAppQuery(query))),
  },
  { method: 'GET', pattern: `${API}/crashes/:id`, answer: look((supervisor, id) => supervisor.crashDesk.crash(id)) },
  {
    method: 'POST',
    pattern: `${API}/apps`,
    answer: operation((supervisor, { body }) => {
      const request = readStart(body)
      return (context) => supervisor.start(request, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/start`,
    answer: operation((supervisor, { app, body }) => {
      readNothing(body)
      return (context) => supervisor.resume(app, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/reload`,
    answer: operation((supervisor, { app, body }) => {
      const request = readReload(body)
      return (context) => supervisor.reload(app, request, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/restart`,
    answer: operation((supervisor, { app, body }) => {
      const request = readRestart(body)
      return (context) => supervisor.restart(app, request, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/scale`,
    answer: operation((supervisor, { app, body }) => {
      const request = readScale(body)
      return (context) => supervisor.scale(app, request, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/stop`,
    answer: operation((supervisor, { app, body }) => {
      const request = readStop(body)
      return (context) => supervisor.stop(app, request, context)
    }),
  },
  {
    method: 'GET',
    pattern: `${API}/apps/:app/history`,
    answer: look((supervisor, app) => ({ app, releases: supervisor.releases.history(app) })),
  },
  {
    method: 'GET',
    pattern: `${API}/apps/:app/preview`,
    answer: look((supervisor, app) => supervisor.releases.preview(app)),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/deploy`,
    answer: operation((supervisor, { app, body }) => {
      const request = readDeploy(body)
      return (context) => supervisor.releases.deploy(app, request, context)
    }),
  },
  {
    method: 'GET',
    pattern: `${API}/apps/:app/rollout`,
    answer: operation(
      (supervisor, { app }) =>
        (context) =>
          supervisor.releases.watch(app, context),
    ),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/rollback`,
    answer: operation((supervisor, { app, body }) => {
      const request = readRollback(body)
      return (context) => supervisor.releases.rollback(app, request, context)
    }),
  },
  ...(['flip', 'promote', 'pause', 'resume', 'abort'] as const).map((verb): Route => ({
    method: 'POST',
    pattern: `${API}/apps/:app/${verb}`,
    answer: operation((supervisor, { app, body }) => {
      readNothing(body)
      return (context) => supervisor.releases[verb](app, context)
    }),
  })),
  {
    method: 'GET',
    pattern: `${API}/apps/:app/chaos`,
    answer: (supervisor, { app, query }) => document(supervisor.chaos.outlook(app, readChaosQuery(query))),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/chaos`,
    answer: operation((supervisor, { app, body }) => {
      const request = readChaos(body)
      return (context) => supervisor.chaos.run(app, request, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/apps/:app/signal`,
    answer: operation((supervisor, { app, body }) => {
      const request = readSignal(body)
      return (context) => supervisor.signal(app, request, context)
    }),
  },
  {
    method: 'DELETE',
    pattern: `${API}/apps/:app`,
    answer: operation((supervisor, { app, body }) => {
      readNothing(body)
      return (context) => supervisor.delete(app, context)
    }),
  },
  {
    method: 'POST',
    pattern: `${API}/upgrade`,
    answer: ({ upgrades }, { query, body }) => {
      allowNoQuery(query)
      const request = readUpgrade(body)
      return { as: 'call', run: ({ cause }) => upgrades.upgrade(request, cause) }
    },
  },
  {
    method: 'POST',
    pattern: `${API}/stop`,
    answer: operation((supervisor, { body }) => {
      const request = readStop(body)
      return (context) => supervisor.shutdown(request, context)
    }),
  },
]

/** Finds the route, or says what there is instead. */
export function findRoute(method: string, path: string): { readonly route: Route; readonly app: string } {
  const here = ROUTES.map((route) => ({ route, app: appOf(route.pattern, path) })).filter(({ app }) => app !== null)
  const found = here.find(({ route }) => route.method === method)
  if (found !== undefined) return { route: found.route, app: decodeApp(found.app ?? '') }
  if (here.length > 0) throw methodNotAllowed(method, path, allowedAt(here.map(({ route }) => route)))
  throw unknownRoute(
    path,
    ROUTES.map((route) => `${route.method.padEnd(6)} ${route.pattern}`),
  )
}

/** Methods that a path takes, for the header `allow`. */
export function allowedMethods(path: string): readonly string[] {
  return allowedAt(ROUTES.filter((route) => appOf(route.pattern, path) !== null))
}

function allowedAt(routes: readonly Route[]): readonly string[] {
  return [...new Set(routes.map((route) => route.method))]
}

/** The part of the path that stands at `:app` or `:id`; empty when the pattern has none, null when the path does not fit. */
function appOf(pattern: string, path: string): string | null {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const fits =
    wanted.length === given.length &&
    wanted.every((part, i) => part === given[i] || (part.startsWith(':') && given[i] !== ''))
  return fits ? (given[wanted.findIndex((part) => part.startsWith(':'))] ?? '') : null
}

function decodeApp(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw badRequest(`"${text}" is not URI-encoded`, 'Encode the name of the app, such as "my%20app".')
  }
}
