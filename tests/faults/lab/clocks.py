"""Wrong clocks, by libfaketime: variables for the environment of whoever is to have one."""

FAKETIME = "/usr/$LIB/faketime/libfaketime.so.1"
"""Where the Debian package puts it; the loader fills in $LIB. Under another name nothing would be faked, and show."""
OF_THE_DAY = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
"""Only the time of day is wrong, as after somebody has set it."""
AN_HOUR_AHEAD = {"LD_PRELOAD": FAKETIME, "FAKETIME": "+1h"}
AT_HALF_SPEED = {"LD_PRELOAD": FAKETIME, "FAKETIME": "+0 x0.5"}
