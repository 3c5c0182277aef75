"""The browser of the tests, and how it is started.

Debian has it twice. The headless shell is the engine alone; the other has the frame of windows, menus and an address
field around it, which nobody sees here and which takes four times the time for each page.
"""

from pathlib import Path

SHELL, WHOLE = Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")
CHROMIUM = SHELL if SHELL.exists() else WHOLE
# The first are those that Playwright leaves out itself (only one list counts); the others are pages of the frame that
# are made ready for each window, and a process that waits for another page
_LEFT_OUT = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "MediaRouter"),
    *("HttpsFirstBalancedModeAutoEnable", "PaintHolding", "ThirdPartyStoragePartitioning", "OptimizationHints"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "PreloadTopChromeWebUI", "SpareRendererForSitePerProcess"),
]
FLAGS = [
    "--no-sandbox",
    "--site-per-process",  # cards in a process of their own, as readers have them; the shell does not by itself
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_LEFT_OUT)}",
]
