"""`sudo healer …` is `healer …`: root's files in a user's folders would lock the user out.

It matters that nothing was read before: settings that a user wrote must not lead root anywhere.
"""

import os
import pwd


def become_who_asked() -> None:
    """Under sudo become the user who called it, for good; else nothing."""
    uid = os.environ.get("SUDO_UID", "")
    if os.geteuid() != 0 or not uid.isdecimal() or int(uid) == 0:
        return
    user = pwd.getpwuid(int(uid))
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ |= {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}
