# SPDX-License-Identifier: GPL-3.0-or-later
"""A dataset tool: path-traced frames of compiled scenes, with their labels."""

VERSION = "1.2"
