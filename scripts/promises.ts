// What supervise promises, statement by statement. Tests name the ids; docs/explanation/promises.md says which do.

export interface Promised {
  readonly id: string
  readonly statement: string
}

export const CHAPTERS: Readonly<Record<string, readonly Promised[]>> = {
  'Accept queue and sockets': [
    {
      id: 'A1',
      statement:
        'All workers are stopped, 40 connections wait with their requests, one worker is killed, the rest go on: 40 of 40 are answered.',
    },
    { id: 'A2', statement: 'The same, and the supervisor is killed too: 40 of 40.' },
    {
      id: 'A3',
      statement: 'All workers are killed together: new connections wait for the replacements, none is refused.',
    },
    { id: 'A4', statement: 'A connection in its TCP handshake during a reload completes.' },
    { id: 'A5', statement: 'More clients than the backlog during a cold restart: none is reset.' },
    { id: 'A6', statement: 'A Unix socket keeps its path and accepts after the process that bound it is gone.' },
    {
      id: 'A8',
      statement:
        'When a reload or a deploy moves the app to another port, the new port answers before the old one stops; going back restores it.',
    },
    {
      id: 'A9',
      statement: 'Two ports, one cannot be bound: the reload is refused with the reason, and the old code serves on.',
    },
    { id: 'A10', statement: '`listen(0)`: every worker and every generation has the same port.' },
    {
      id: 'A11',
      statement:
        'An app that listens twice, closes and listens again, or listens seconds after boot is handed over all the same.',
    },
    { id: 'A12', statement: 'An app that never listens gets ready by message or by time.' },
    { id: 'A13', statement: 'Dual stack, `127.0.0.1` and a second address all hand over.' },
    {
      id: 'A14',
      statement: 'A worker at its descriptor limit takes no connections only to close them; its siblings serve them.',
    },
  ],
  Drain: [
    { id: 'D1', statement: 'A request under way completes whole, with `Connection: close`.' },
    { id: 'D2', statement: 'A POST already in the kernel’s buffer of an idle connection gets its 200.' },
    { id: 'D3', statement: 'An idle connection stays open for a grace, and a request sent in it is served.' },
    { id: 'D4', statement: 'A client that never stops using one connection moves within one response.' },
    { id: 'D5', statement: 'Pipelined requests: as many responses as handler runs.' },
    { id: 'D6', statement: 'Half a header, then silence: closed at `headersTimeout` or at the drain’s deadline.' },
    { id: 'D7', statement: 'A client that has sent nothing yet is served, or gets a clean FIN.' },
    { id: 'D8', statement: 'A slow reader finishes, or is cut at the deadline only.' },
    { id: 'D9', statement: 'A slow upload finishes, or is cut at the deadline only.' },
    { id: 'D10', statement: 'Event streams and long polls: the app can see the drain; a clean end at the deadline.' },
    {
      id: 'D11',
      statement: 'WebSockets stay until the deadline, get a close frame 1001 with a reason, spread over a window.',
    },
    {
      id: 'D12',
      statement:
        'HTTP/2: GOAWAY, streams under way finish, racing ones are served or refused in a retryable way; on Node 22 too.',
    },
    { id: 'D14', statement: 'A worker whose loop is blocked is killed at the deadline; what it loses is reported.' },
    {
      id: 'D15',
      statement:
        'A worker that ignores SIGTERM, or whose handler throws or hangs, is killed at the deadline, with the reason recorded.',
    },
    { id: 'D16', statement: 'An app with its own SIGTERM handler drains just as well.' },
    { id: 'D17', statement: '`Expect: 100-continue` during a drain.' },
    {
      id: 'D18',
      statement: 'A deadline shorter than a request loses exactly the requests over it, and says how many.',
    },
  ],
  Reload: [
    {
      id: 'R1',
      statement:
        'New code that throws at boot is refused with exit code 5; the old serves on; reason and stderr are shown.',
    },
    { id: 'R2', statement: 'New code that hangs at boot is refused at the ready time-out, and its process is gone.' },
    { id: 'R3', statement: 'New code whose readiness check fails is refused before real traffic reaches it.' },
    { id: 'R4', statement: 'New code that crashes within `minReady` goes back by itself.' },
    { id: 'R5', statement: 'One of N workers fails to boot: all or nothing, never a lasting mix.' },
    { id: 'R6', statement: 'A mistake in the configuration refuses the reload; nothing changes.' },
    { id: 'R7', statement: 'A reload during a reload is queued; the last one asked for is what runs.' },
    { id: 'R8', statement: 'Ten reload signals within 100 ms are at most two reloads.' },
    { id: 'R9', statement: 'A stop during a reload ends both generations and leaves no orphan.' },
    {
      id: 'R10',
      statement: 'A reload works during a crash back-off, and during the drain of the generation before.',
    },
    { id: 'R11', statement: 'A reload or a rollback that goes back lets draining workers serve again.' },
    {
      id: 'R13',
      statement:
        'The code’s directory may be a symlink that is switched: new workers see the new target, old ones keep the old.',
    },
    {
      id: 'R14',
      statement:
        'The directory of a running app or of a release is deleted: what runs serves on, and what cannot be started says why.',
    },
    {
      id: 'R15',
      statement:
        'New, changed and removed variables and arguments take effect; the supervisor’s own do not leak into the app.',
    },
    { id: 'R16', statement: 'A new release may run with another Node binary; going back brings the old one back.' },
    { id: 'R17', statement: 'Capacity never drops below N during a reload.' },
    { id: 'R18', statement: '`maxSurge: 1` stays within N + 1 processes.' },
    { id: 'R20', statement: 'The command returns when the new code serves and the old has drained.' },
    { id: 'R21', statement: 'WebSocket clients of three generations ago work until their deadline.' },
  ],
  'Blue and green': [
    {
      id: 'B1',
      statement: 'The standby group gets no public request before the flip; the preview reaches only it.',
    },
    { id: 'B2', statement: 'A failed smoke test: no flip, exit code 5, the old release has missed nothing.' },
    {
      id: 'B3',
      statement:
        'After a flip is acknowledged no new request starts on the old group, over http, https, HTTP/2 and WebSockets; what is under way ends where it began, and none is lost.',
    },
    { id: 'B4', statement: 'A flip back starts no process.' },
    { id: 'B5', statement: 'After its window, going back is a full start with its checks.' },
    {
      id: 'B6',
      statement:
        'A release that crashes, fails its probe or answers more errors than the old one while it is watched is taken back by itself, and the reason is kept.',
    },
    { id: 'B7', statement: 'A release that dies within `minReady` is never promoted.' },
    { id: 'B8', statement: 'A release that never gets ready is given up at the deadline.' },
    { id: 'B9', statement: 'A newer release takes the place of one that waits.' },
    {
      id: 'B11',
      statement: 'The supervisor killed around a flip: exactly one group is active, the one last acknowledged.',
    },
    {
      id: 'V6',
      statement:
        'A page that was opened before a flip is served by the new release after it, never by an error of ours.',
    },
    { id: 'R12', statement: 'Flips under load: none failed, and going back starts no process.' },
  ],
  Crashes: [
    { id: 'C1', statement: 'A worker that exits under load loses at most its requests under way.' },
    { id: 'C2', statement: 'Exit code, SIGKILL, SIGSEGV and out-of-memory are told apart in words.' },
    { id: 'C3', statement: 'A crash loop at boot backs off up to a cap, costs under 5 % CPU and a bounded log.' },
    {
      id: 'C4',
      statement: 'Above the restart intensity a worker is `failed`; others are not affected and the port stays open.',
    },
    { id: 'C5', statement: 'The count resets after a healthy period.' },
    { id: 'C6', statement: 'All N crash at once: no more than the CPU count boot together.' },
    { id: 'C7', statement: 'Exit code 0 without being asked follows the policy.' },
    { id: 'C8', statement: 'An unhandled rejection or exception in one request costs that worker alone.' },
    { id: 'C9', statement: 'The memory limit replaces first and drains then.' },
    {
      id: 'C10',
      statement: 'A worker that hangs is replaced after the heartbeat’s time-out, and comes back as no second copy.',
    },
    { id: 'C11', statement: 'A pid that is another process’s by now is neither adopted nor signalled.' },
    { id: 'C12', statement: 'After 1,000 crashes nothing is left over: no zombie, descriptor or memory.' },
  ],
  'The supervisor’s own life': [
    {
      id: 'S1',
      statement: 'SIGKILL of the supervisor under load fails no request; workers that write to stdout go on too.',
    },
    {
      id: 'S2',
      statement: 'A new supervisor adopts them: same pids, nothing started twice, and their death is noticed.',
    },
    {
      id: 'S3',
      statement:
        'Killed at any step of a start, a reload or a rollout, the next one goes on from there or goes back: one generation serves, and nothing is lost.',
    },
    {
      id: 'S4',
      statement:
        'A state file that is truncated, corrupt or of another version: workers serve on and are taken back, of two releases those of the last good one.',
    },
    { id: 'S5', statement: 'Two supervisors started at once: exactly one wins, and the other says who did.' },
    {
      id: 'S7',
      statement:
        'An upgrade of the supervisor under load fails no request, with the same workers; a new version that cannot take over, or breaks while it does, leaves the old one in charge.',
    },
    {
      id: 'S8',
      statement: 'An upgrade to a version whose state, books and link have another format, and back, is the same.',
    },
    { id: 'S11', statement: '1,000 reloads: descriptors, threads, memory and zombies of the supervisor are flat.' },
    {
      id: 'S13',
      statement:
        'Garbage, half a message, 1,000 clients and a slow client on the control socket do not stall supervision.',
    },
    {
      id: 'S14',
      statement:
        'A worker writes without end while the sink is slow: memory is bounded, and what is dropped is counted.',
    },
    { id: 'S15', statement: 'A signal during boot harms neither supervisor nor worker.' },
    { id: 'S16', statement: 'Ctrl-C reaches the terminal’s whole process group: workers drain all the same.' },
    { id: 'S17', statement: 'A clock that jumps, or a supervisor that was held up, kills nobody.' },
  ],
  systemd: [
    {
      id: 'Y1',
      statement: 'The unit is active only when the app serves; a boot that fails makes it fail, with a status.',
    },
    { id: 'Y2', statement: '`systemctl reload` returns when the new code serves.' },
    { id: 'Y3', statement: 'A reload that failed is no success of `systemctl reload`; the old code serves.' },
    { id: 'Y4', statement: 'A long drain gets the time that it takes.' },
    { id: 'Y5', statement: 'An upgrade keeps the unit active and counts as no restart.' },
    {
      id: 'Y6',
      statement:
        'Sockets of a `.socket` unit are those that the app listens on; the port is open through `systemctl restart`, and workers see no variable of it.',
    },
    { id: 'Y8', statement: 'SIGKILL of the supervisor under load fails no request; the next one adopts the workers.' },
    { id: 'Y9', statement: 'The watchdog ends a supervisor whose loop hangs, and nobody else.' },
    { id: 'Y10', statement: 'What is told to systemd is taken as the unit’s own.' },
  ],
  'Load and fairness': [
    {
      id: 'L1',
      statement:
        '400 connections, 1 ms apart, over 4 workers: the busiest has at most 1.5 times the connections of the least busy.',
    },
    { id: 'L3', statement: 'Keep-alive clients leave a worker after `maxRequestsPerConnection` requests.' },
    { id: 'L4', statement: 'The 99th percentile during a reload is at most three times that of a steady state.' },
    { id: 'L6', statement: 'One of four workers blocks again and again: the others’ connections do not wait for it.' },
  ],
  'Releases side by side': [
    { id: 'K11', statement: 'What the supervisor asks by itself, its probes, is in no count of requests.' },
  ],
}
