// Whose decision is shown: tabs for a few roles, a list for many.
import type { Moment } from "../types";
import { Text, visible } from "../text";

const MOST_TABS = 8;

interface RolesProps {
  roles: string[];
  moments: Moment[];
  shown: string;
  /** Whether no role was chosen, so that whoever decides first is shown. */
  isFollowing: boolean;
  onRole: (role: string | null) => void;
}

export function Roles(props: RolesProps) {
  const { roles, shown, isFollowing, onRole } = props;
  return (
    <div class="roles">
      {roles.length > MOST_TABS ? <RoleList {...props} /> : <RoleTabs {...props} />}
      {roles.length > 1 && (
        <label class="follow">
          <input type="checkbox" checked={isFollowing} onChange={(event) => onRole(event.currentTarget.checked ? null : shown)} />
          follow who decides
        </label>
      )}
    </div>
  );
}

function RoleTabs({ roles, moments, shown, onRole }: RolesProps) {
  const move = (event: KeyboardEvent, by: number) => {
    const next = roles[(roles.indexOf(shown) + by + roles.length) % roles.length];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onRole(next);
    const tabs = (event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=tab]");
    tabs[roles.indexOf(next)]?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label="Role"
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") move(event, 1);
        if (event.key === "ArrowLeft") move(event, -1);
      }}
    >
      {roles.map((role) => {
        const moment = moments.find((each) => each.role === role);
        return (
          <button
            key={role}
            type="button"
            role="tab"
            id={tabId(roles.indexOf(role))}
            aria-selected={role === shown}
            aria-controls="moment"
            tabIndex={role === shown ? 0 : -1}
            class={moment ? "" : "idle"}
            onClick={() => onRole(role)}
          >
            <Text most={40}>{role}</Text>
            {moment?.fault && (
              <span class="faulty" title={moment.fault}>
                {" "}
                ✕<span class="unseen"> fault</span>
              </span>
            )}
            {!moment && <span class="unseen"> (not asked at this step)</span>}
          </button>
        );
      })}
    </div>
  );
}

function tabId(place: number): string {
  return `role-${place}`;
}

function RoleList({ roles, moments, shown, onRole }: RolesProps) {
  const asked = new Set(moments.map((moment) => moment.role));
  return (
    <label class="field">
      <span>Role</span>
      <select value={shown} onChange={(event) => onRole(event.currentTarget.value)}>
        {roles.map((role) => (
          <option key={role} value={role}>
            {visible(role).slice(0, 80)}
            {asked.has(role) ? "" : " (not asked)"}
          </option>
        ))}
      </select>
    </label>
  );
}
