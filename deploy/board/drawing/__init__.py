"""Panels drawn: markup, and for charts an ECharts option that the page hands to the library as it is."""
