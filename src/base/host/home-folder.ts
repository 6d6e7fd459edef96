import os from 'node:os';

/** null = there is none: a container's user without an entry in the list of users, and HOME unset. */
export function homeFolder(): string | null {
  try {
    return os.homedir();
  } catch {
    return null;
  }
}

/** null = this user has no name. */
export function userName(): string | null {
  try {
    return os.userInfo().username;
  } catch {
    return null;
  }
}
