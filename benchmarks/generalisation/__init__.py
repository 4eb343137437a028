"""Does training on generated looks help a policy in looks that it never saw?"""
