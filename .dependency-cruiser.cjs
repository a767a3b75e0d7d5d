// Who may import whom. Every rule says why in its comment, which is printed when it is broken. Proved by scripts/test/boundaries.test.ts.
const service = '^services/([^/]+)/';
const npm = '(^|/)node_modules/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-service-to-service',
      comment: 'Services are deployed, scaled and replaced one by one: they meet over HTTP and messages, through packages/contracts.',
      severity: 'error',
      from: { path: service },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'domain-is-pure',
      comment:
        'Rules of the business are tested without a database, a clock or a mock. What a domain needs is an argument; it imports contracts, re2js because a pattern that a user wrote is part of a matching rule, and wasm because comparing texts is arithmetic.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/domain/' },
      to: { pathNot: ['^services/$1/src/domain/', '^packages/(contracts|wasm)/src/', `${npm}re2js/`] },
    },
    {
      name: 'application-knows-no-infrastructure',
      comment: 'A command states what it needs in ports.ts and is given it by app.ts, so that it reads as a decision and not as SQL.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/application/' },
      to: {
        path: [
          '^services/$1/src/(infrastructure/|routes/|app\\.ts|main\\.ts)',
          `${npm}(kysely|pg|pg-copy-streams|fastify|undici|@nats-io)/`,
        ],
      },
    },
    {
      name: 'routes-know-no-infrastructure',
      comment: 'A route is schema, call, reply. With a database at hand it would become a second place for rules.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/routes/' },
      to: { path: ['^services/$1/src/(infrastructure/|app\\.ts|main\\.ts)', `${npm}(kysely|pg|pg-copy-streams|undici|@nats-io)/`] },
    },
    {
      name: 'infrastructure-knows-no-routes',
      comment:
        'Calls go routes → application → domain, and infrastructure is called by what app.ts wires; backwards there are only return values.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/infrastructure/' },
      to: { path: '^services/$1/src/(routes/|app\\.ts|main\\.ts)' },
    },
    {
      name: 'contracts-is-a-leaf',
      comment:
        'Everything depends on the contracts, so whatever they depended on would be in every service: they have zod, and re2js because a pattern is checked by the engine that runs it.',
      severity: 'error',
      from: { path: '^packages/contracts/src/' },
      to: { pathNot: ['^packages/contracts/src/', `${npm}(zod|re2js)/`] },
    },
    {
      name: 'wasm-is-a-leaf',
      comment: 'It writes instructions down, whoever needs them. What they compute is said where it is used.',
      severity: 'error',
      from: { path: '^packages/wasm/src/' },
      to: { pathNot: ['^packages/wasm/src/'] },
    },
    {
      name: 'chassis-knows-no-service',
      comment:
        'The chassis is what every service does the same way. A business noun in it would tie the services together through the back door.',
      severity: 'error',
      from: { path: '^packages/chassis/src/' },
      to: { path: '^(services|packages/(adapters|local)|tests|scripts)/' },
    },
    {
      name: 'adapters-know-no-service',
      comment:
        'Adapters are used by two services and belong to neither: they read records and know nothing of jobs, databases or messages.',
      severity: 'error',
      from: { path: '^packages/adapters/src/' },
      to: { path: ['^(services|packages/(chassis|local)|tests|scripts)/', `${npm}(kysely|fastify|@nats-io)/`] },
    },
    {
      name: 'definitions-without-readers',
      comment:
        'jobs checks configurations and must not load what reads files and databases. Readers are imported by executions alone, or dynamically when a read begins.',
      severity: 'error',
      from: { path: ['^services/(?!executions/)', '^packages/adapters/src/.*(definition|catalogue)\\.ts$'] },
      to: { path: '^packages/adapters/src/([^/]+/reader|readers)\\.ts$', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-chassis-touches-the-broker',
      comment:
        'Publishing past the outbox loses messages, and consuming past the inbox repeats effects. The chassis does both right; the harness cleans up after tests.',
      severity: 'error',
      from: { pathNot: ['^packages/chassis/', '^tests/', '/test/'] },
      to: { path: `${npm}@nats-io/` },
    },
    {
      name: 'only-stores-touch-the-database',
      comment: 'SQL lives where its transactions do. Elsewhere in a service it would escape the row locks and the outbox.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/', pathNot: '^services/[^/]+/src/(infrastructure/|app\\.ts$)' },
      to: { path: `${npm}(pg|kysely|pg-copy-streams)/` },
    },
    {
      name: 'tests-stay-outside',
      comment: 'What runs in production must not need what only a test installation has.',
      severity: 'error',
      from: { path: '^(services|packages)/[^/]+/(src|migrations)/' },
      to: { path: ['^tests/', '^(services|packages)/[^/]+/test/', `${npm}(vitest|fast-check|testcontainers|@testcontainers)/`] },
    },
    {
      name: 'nothing-needs-the-scripts',
      comment: 'Scripts and the packages for one machine stand on top of Settler: a service that needed them would not run in a container.',
      severity: 'error',
      from: { path: '^(services|packages/(?!local/))', pathNot: '/test/' },
      to: { path: '^(scripts|packages/local)/' },
    },
    {
      name: 'no-circular',
      comment: 'Of two files that need each other neither can be read, tested or moved alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that the check cannot follow is one that no rule above is applied to.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: npm },
    exclude: { path: '(^|/)dist/' },
    // Imports of types count: they tie files together as much as values do.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@settler/source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts'],
    },
  },
};
