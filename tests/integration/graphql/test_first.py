def test_a(owner, schedule, job):
    print(owner.ask("""{ viewer { kind name timezone scopes }
    schedules(first: 5) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id title state nextRunAt rule { kind at timezone } description workspace { slug role members(first: 10) { edges { node { username role name } } } }
      content { title text media { position file { name } } variants { platform } versions(first: 3) { edges { node { number author } } } campaign { name } }
      targets { account { id name platform groups { name } health { state budgets { name } } options } }
      nextOccurrences(count: 2) { at local }
      jobs(first: 2) { totalCount edges { node { id state title timezone nominalLocal cause account { name } attempts { no } readings(first: 1) { edges { node { values } } } } } } } } }
      jobs(first: 3) { edges { node { state schedule { id content { title } } workspace { slug } } } }
      accounts(first: 3) { edges { node { name updatedAt } } }
      audit(first: 3) { edges { node { id action actor { label } object { type } } } }
      calendar(since: "2026-11-23T00:00:00Z", until: "2026-11-30T00:00:00Z", first: 10) { totalCount edges { cursor node { key look title at local account { id } } } }
      recovery(first: 2) { edges { node { jobId } } }
      status { running queue { pending } alarms { name } }
      notifications(first: 2) { edges { node { words } } }
    }"""))
