// Understand: what the decisions of a selection put first, and which archetype they speak for.
export function GraphPage({ query }: { query: URLSearchParams }) {
  return <section class="state">{query.toString()}</section>;
}
