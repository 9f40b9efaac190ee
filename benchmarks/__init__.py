"""Measurements that stand in the docs, each a program that anyone can run again. What is measured is the product itself."""
